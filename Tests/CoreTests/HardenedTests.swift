import CPercolate
import Testing

@testable import PercolateCoreHosted

/// What full hardening is made of.
@Suite struct HardenedTests {
    @Test func aPatternKnowsTheFirstByteThatDiffers() throws {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 16)
        defer { memory.deallocate() }
        let start = UInt(bitPattern: memory)
        let pattern = BytePattern.canary(of: start)
        for lower in [0, 1, 7, 8, 13] {
            for upper in [lower, lower + 1, lower + 9, 100, 200] where upper >= lower {
                let range = start + UInt(lower)..<start + UInt(upper)
                memory.initializeMemory(as: UInt8.self, repeating: 0, count: 256)
                pattern.fill(range)
                #expect(pattern.firstDifference(in: range) == nil)
                for place in lower..<upper {
                    let byte = memory.load(fromByteOffset: place, as: UInt8.self)
                    #expect(byte != 0)
                    memory.storeBytes(of: ~byte, toByteOffset: place, as: UInt8.self)
                    #expect(pattern.firstDifference(in: range) == start + UInt(place))
                    memory.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
                }
                for place in 0..<lower {
                    #expect(memory.load(fromByteOffset: place, as: UInt8.self) == 0)
                }
                for place in upper..<256 {
                    #expect(memory.load(fromByteOffset: place, as: UInt8.self) == 0)
                }
            }
        }
    }

    @Test func theQuarantineIsAQueueOfSoManyBytes() {
        var ring = QuarantineRing()
        let isStarted = ring.start(limit: 64 << 10)
        #expect(isStarted)
        // 16 blocks of 4096 bytes fit.
        for block in 1...16 {
            #expect(ring.put(UInt(block) * 16, cost: 4096) == 0)
            #expect(ring.takeOldest() == 0)
        }
        for block in 17...50 {
            #expect(ring.put(UInt(block) * 16, cost: 4096) == 0)
            #expect(ring.takeOldest() == UInt(block - 16) * 16)
            #expect(ring.takeOldest() == 0)
        }
        var kept: [UInt] = []
        ring.visit { kept.append($0 / 16) }
        #expect(kept.sorted() == Array(35...50))
        for block in 35...50 { #expect(ring.takeOldest(all: true) == UInt(block) * 16) }
        #expect(ring.takeOldest(all: true) == 0)
    }

    @Test func aBlockThatIsLargerThanTheQuarantineStaysForAWhile() {
        var ring = QuarantineRing()
        let isStarted = ring.start(limit: 4096)
        #expect(isStarted)
        #expect(ring.put(16, cost: 1 << 30) == 0)
        #expect(ring.takeOldest() == 0)
    }

    @Test func moreBlocksThanSlotsPushTheOldestOut() {
        var ring = QuarantineRing()
        let isStarted = ring.start(limit: 64 << 10)
        #expect(isStarted)
        for block in 1...1024 { #expect(ring.put(UInt(block) * 16, cost: 1) == 0) }
        for block in 1...10 {
            #expect(ring.put(UInt(block + 1024) * 16, cost: 1) == UInt(block) * 16)
        }
    }

    @Test func onlyOneOfTwoClaimsABlock() {
        let memory = UnsafeMutablePointer<BlockRecord>.allocate(capacity: 1)
        UnsafeMutableRawPointer(memory).initializeMemory(
            as: UInt64.self, repeating: 0, count: 2)
        defer { memory.deallocate() }
        let facts = BlockRecord.Facts(.live, size: 1 << 46, alignment: 4096)
        memory.pointee.set(facts)
        #expect(memory.pointee.facts.size == 1 << 46 && memory.pointee.facts.alignment == 4096)
        let isFirst = memory.pointee.exchange(facts, for: facts.with(.busy))
        let isSecond = memory.pointee.exchange(facts, for: facts.with(.busy))
        #expect(isFirst && !isSecond)
        #expect(memory.pointee.facts.state == .busy && memory.pointee.facts.size == 1 << 46)
    }

    /// A signal handler that interrupted the arena, or a change of the samples, frees more blocks
    /// than the quarantine has slots: none is lost, and each goes back to the heap once that may
    /// be.
    @Test(arguments: [40_000, 100])
    func blocksThatCannotLeaveTheQuarantineAreKept(size: Int) async {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardErrorContent]
        ) { [size] in
            let heap = try TestHeap("hardened=1,quarantine=64K,sample=16K")
            heap.bound {
                func allocateAll() -> [UInt] { (0..<1500).map { _ in Heap.allocate(UInt(size)) } }
                func freeAll(_ blocks: [UInt]) { for block in blocks { Heap.free(block) } }
                func free() -> Int {
                    for _ in 0..<1500 { Heap.free(Heap.allocate(UInt(size))) }
                    Heap.flushQuarantine()
                    _ = Heap.trim()
                    return arena.inUse
                }
                freeAll(allocateAll())
                let before = free()
                for _ in 0..<2 {
                    let blocks = allocateAll()
                    precondition(!blocks.contains(0))
                    precondition(arenaLock.acquire() == .entered && Samples.lock.acquire() == .entered)
                    freeAll(blocks)
                    Samples.lock.release()
                    arenaLock.release()
                }
                let after = free()
                precondition(after <= before + 500, "\(before) pages in use, then \(after)")
            }
        }
        #expect(result != nil, "\(report(result))")
    }

    /// Two blocks of one array never share a record.
    @Test func everyBlockOfASpanHasARecordOfItsOwn() throws {
        try TestHeap.run {
            var table = RecordTable()
            let isStarted = table.start(pages: arena.limit)
            #expect(isStarted)
            for number in 2..<SizeClass.count {
                let info = SizeClass(number: number)
                let power = RecordTable.power(forBlocksOf: info.size)
                var seen: Set<UInt> = []
                for block in 0..<Int(info.spanBlocks) {
                    let address = arena.base + UInt(block) * UInt(info.size)
                    let record = try #require(table.make(address, power))
                    #expect(seen.insert(UInt(bitPattern: record)).inserted)
                    #expect(table.existing(address, power) == record)
                }
            }
        }
    }
}
