import Testing

@testable import PercolateCoreHosted

/// What signal handlers leave behind is freed once, by whoever comes next.
@Suite struct DeferredFreesTests {
    @Test func everyBlockIsTakenOnce() throws {
        try TestHeap.run {
            let count = 8 * 1000
            nonisolated(unsafe) let blocks = UnsafeMutablePointer<UInt>.allocate(capacity: count * 2)
            defer { blocks.deallocate() }
            TestHeap.onThreads(8) { thread in
                for number in 0..<1000 { DeferredFrees.add(UInt(bitPattern: blocks + (thread * 1000 + number) * 2)) }
            }
            #expect(!DeferredFrees.isEmpty)
            var seen: Set<UInt> = []
            DeferredFrees.takeAll { address in
                #expect(seen.insert(address).inserted)
                // A block that is freed may be overwritten before the next is looked at.
                UnsafeMutablePointer<UInt>(bitPattern: address)?.pointee = .max
            }
            #expect(seen == Set((0..<count).map { UInt(bitPattern: blocks + $0 * 2) }))
            #expect(DeferredFrees.isEmpty)
        }
    }

    @Test func theNextSlowPathFreesThem() throws {
        try TestHeap.run {
            let block = Heap.allocate(1 << 20)
            let frees = total(.largeFrees)
            DeferredFrees.add(block)
            #expect(total(.largeFrees) == frees)
            let other = Heap.allocate(100)
            #expect(total(.largeFrees) == frees + 1)
            #expect(DeferredFrees.isEmpty)
            Heap.free(other)
        }
    }
}
