import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// The state of a heap is one value: several heaps of a process know nothing of each other.
@Suite struct HeapStateTests {
    @Test func twoHeapsShareNothing() throws {
        let (first, second) = (try TestHeap(), try TestHeap())
        let blocks = first.bound { [100, 5000, 100_000].map { Heap.allocate($0) } }
        second.bound {
            #expect(spansInUse == 0 && arena.inUse == 0 && total(.largeAllocations) == 0)
            for block in blocks { #expect(block != 0 && !Heap.owns(block)) }
            #expect(!Heap.owns(EmergencyRegion.address - 1) && Heap.owns(EmergencyRegion.address))
        }
        first.bound {
            for block in blocks { #expect(Heap.owns(block)) }
            #expect(spansInUse > 0 && total(.largeAllocations) == 1)
            Heap.options.cacheBudget = 1
        }
        second.bound { #expect(Heap.options.cacheBudget != 1) }
        #expect(!blocks.contains { Heap.owns($0) }, "nor does the process's own heap")
    }

    /// Threads of two heaps, at the same CPUs, in the same classes.
    @Test func heapsAreUsedSideBySide() throws {
        let heaps = [try TestHeap(), try TestHeap("rseq=off")]
        TestHeap.onThreads(4) { thread in
            heaps[thread % 2].bound {
                var random = SeededGenerator(seed: UInt64(thread))
                var owned: [UInt] = []
                for _ in 0..<20_000 {
                    if owned.count < 200, Bool.random(using: &random) {
                        let block = Heap.allocate(UInt.random(in: 8...4000, using: &random))
                        UnsafeMutablePointer<Int>(bitPattern: block)?.pointee = thread
                        owned.append(block)
                    } else if let block = owned.popLast() {
                        if UnsafeMutablePointer<Int>(bitPattern: block)?.pointee != thread {
                            Issue.record("a block of two threads")
                        }
                        Heap.free(block)
                        owned.shuffle(using: &random)
                    }
                }
                for block in owned { Heap.free(block) }
            }
        }
        for heap in heaps {
            heap.bound {
                _ = Heap.trim()
                #expect(FrontEnd.mode != .sections || !FrontEnd.sequences.canFence || spansInUse == 0)
                #expect(total(.refills) > 0)
            }
        }
    }

    /// Each layer's state begins with that of the layer below: all are at one address, and none has
    /// something where the one below has.
    @Test func theLayersLieBehindEachOtherAndInFrontOfTheRegion() throws {
        let ends = [
            MemoryLayout<percolate_heap>.size, MemoryLayout<PlatformState>.size, MemoryLayout<ArenaState>.size,
            MemoryLayout<EmergencyState>.size, MemoryLayout<MiddleState>.size, MemoryLayout<FrontEndState>.size,
            MemoryLayout<HardenedState>.size, MemoryLayout<SamplingState>.size, MemoryLayout<HeapState>.size,
        ]
        let firsts = [
            offset(&platformState.pointee.counterRowCount), offset(&arenaState.pointee.pageClasses),
            offsetOfDeferredFrees, offset(&middleState.pointee.middle), offset(&frontEndState.pointee.frontEnd),
            offset(&hardenedState.pointee.records), offset(&samplingState.pointee.tables),
            offset(&heapState.pointee.options),
        ]
        for (end, first) in zip(ends, firsts) { #expect(first >= end, "\(ends) \(firsts)") }
        for (first, end) in zip(firsts, ends.dropFirst()) { #expect(first < end, "\(ends) \(firsts)") }
        #expect(offset(&platformState.pointee.shared) == 0)
        #expect(ends[ends.count - 1] <= Int(PERCOLATE_STATE_SIZE))
        let slots = EmergencyRegion.address + EmergencyRegion.size
        #expect(slots + UInt(PERCOLATE_EMERGENCY_SLOTS_SIZE) == heapAddress + UInt(PERCOLATE_HEAP_SIZE))
        #expect(PERCOLATE_STATE_SIZE % (1 << PERCOLATE_PAGE_SHIFT) == 0)
        for word in [Heap.startLock, arenaLock, growthLock, Counting.lock, Samples.lock] {
            #expect(word.address % 64 == 0, "a line of its own")
        }
    }

    /// Nested scopes included: the fast path counts nothing.
    @Test(.enabled(if: Heap.ensureStarted() && FrontEnd.mode == .sections, "no fast path"))
    func theFastPathIsOffExactlyWhileAScopeCounts() throws {
        try TestHeap.run {
            func limits() -> [UInt64] { [front.limit, front.limit_mm_cid, front.pages, front.pages_mm_cid] }
            Heap.free(Heap.allocate(100))
            let before = limits()
            #expect(before.contains { $0 > 0 }, "\(before)")
            var (outer, inner) = (percolate_counting_scope(), percolate_counting_scope())
            withUnsafeMutablePointer(to: &outer) { outer in
                Counting.begin(outer)
                withUnsafeMutablePointer(to: &inner) { inner in
                    Counting.begin(inner)
                    #expect(limits() == [0, 0, 0, 0])
                    Counting.end(inner)
                }
                #expect(limits() == [0, 0, 0, 0], "a scope counts still")
                Counting.end(outer)
            }
            #expect(limits() == before)
        }
    }

    /// A line that one CPU writes with each span, block or random number is not one that all read.
    @Test func whatChangesOftenSharesNoLineWithWhatAllRead() {
        let changing = [
            offset(&platformState.pointee.committedMetadata), offset(&arenaState.pointee.arena),
            offset(&arenaState.pointee.spansInUse), offset(&arenaState.pointee.largePages),
        ]
        let read = [
            offset(&platformState.pointee.counterRows), offset(&platformState.pointee.counterRowCount),
            offset(&arenaState.pointee.pageClasses), offset(&arenaState.pointee.publishedPages),
            offset(&arenaState.pointee.spans), offset(&middleState.pointee.middle),
            offset(&hardenedState.pointee.freeBlockPool), offsetOfDeferredFrees,
        ]
        #expect(Set(changing.map { $0 / 64 }).isDisjoint(with: read.map { $0 / 64 }), "\(changing) \(read)")
        let end = offset(&arenaState.pointee.arena) + MemoryLayout<Arena>.size
        #expect((end - 1) / 64 < offset(&arenaState.pointee.spans) / 64)
    }

    private func offset<Value: ~Copyable>(_ variable: inout Value) -> Int {
        Int(UInt(bitPattern: pinned(&variable)) - heapAddress)
    }

    /// An atomic word has an address although it is a constant.
    private var offsetOfDeferredFrees: Int {
        withUnsafePointer(to: emergencyState.pointee.deferredFrees) { Int(UInt(bitPattern: $0) - heapAddress) }
    }

    @Test func aHeapThatIsFreedGivesItsAddressesBack() throws {
        var seen: Set<UInt> = []
        for _ in 0..<300 {
            // 300 windows of 1 TiB are more than a process has addresses for.
            let heap = try TestHeap("reserve=1T")
            heap.bound {
                Heap.free(Heap.allocate(100))
                seen.insert(arena.base)
            }
        }
        #expect(!seen.contains(0))
    }
}
