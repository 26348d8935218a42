import CPercolate
import Foundation
import Synchronization
import Testing

@testable import PercolateCoreHosted

/// The caches of the CPUs, used as a program does.
@Suite struct FrontEndTests {
    private static let processor = TestHeap.processors[0]
    private static let size = 192
    private static let number = sizeClass(ofSize: size)

    private static func header(_ index: Int, _ number: Int = number) -> ClassHeader {
        Slab(address: FrontEnd.caches[index].pointee.slab).header(number)
    }

    /// The capacities of each CPU are what its record says, within its budget.
    private func expectCapacitiesToAgree() {
        for index in 0..<FrontEnd.indexCount where FrontEnd.caches[index].pointee.slab != 0 {
            let capacities = (1..<SizeClass.count).map {
                UInt(Self.header(index, $0).capacity * SizeClass.size(ofClass: $0))
            }
            let cache = FrontEnd.caches[index]
            #expect(cache.pointee.capacityBytes == capacities.reduce(0, +), "index \(index)")
            #expect(
                cache.pointee.capacityBytes <= max(cache.pointee.budget, FrontEnd.largestBudget), "index \(index)")
            for number in 1..<SizeClass.count {
                let header = Self.header(index, number)
                #expect(header.begin <= header.current && header.current <= header.end)
                #expect(header.capacity <= Int(sizeClasses[number].pointee.maxCapacity))
            }
        }
    }

    @Test(.enabled(if: Heap.ensureStarted() && FrontEnd.mode == .sections, "no restartable sequences here"))
    func aMissOfAClassThatIsUsedBringsABatch() throws {
        try TestHeap.run {
            let (index, counts, count, blocks) = try TestHeap.onProcessor(Self.processor) {
                var blocks: [UInt] = []
                // The first misses of a class bring one block each.
                var counts = (refills: total(.refills), objects: total(.refilledObjects))
                var count = 0
                var index = -1
                while count == 0, blocks.count < 8 {
                    counts = (refills: total(.refills), objects: total(.refilledObjects))
                    blocks.append(Heap.allocate(UInt(Self.size)))
                    index = FrontEnd.currentIndex() ?? -1
                    count = Self.header(index).count
                }
                return (index, counts, count, blocks)
            }
            #expect(total(.refills) == counts.refills + 1)
            #expect(total(.refilledObjects) == counts.objects + UInt64(count) + 1)
            #expect(count >= 1, "a batch is more than one block")
            #expect(FrontEnd.gate(index).value == FrontEnd.caches[index].pointee.slab)
            for block in blocks { Heap.free(block) }
        }
    }

    @Test func theBlockFreedLastIsUsedFirst() throws {
        try TestHeap.run {
            let isSame = try TestHeap.onProcessor(Self.processor) {
                let blocks = (0..<3).map { _ in Heap.allocate(UInt(Self.size)) }
                for block in blocks { Heap.free(block) }
                let again = Heap.allocate(UInt(Self.size))
                Heap.free(again)
                return again == blocks[2]
            }
            #expect(isSame)
        }
    }

    @Test func capacityFollowsMissesWithinTheBudget() throws {
        try TestHeap.run {
            let changes = total(.capacityChanges)
            let sizes = [16, Self.size, 1024, 8192, 32768]
            let drains = total(.drains)
            let capacities = try TestHeap.onProcessor(Self.processor) { () -> [Int] in
                for _ in 0..<6 {
                    for size in sizes {
                        let blocks = (0..<(size < 2048 ? 1500 : 150)).map { _ in Heap.allocate(UInt(size)) }
                        for block in blocks { Heap.free(block) }
                    }
                }
                let index = FrontEnd.currentIndex() ?? -1
                return sizes.map { Self.header(index, sizeClass(ofSize: $0)).capacity }
            }
            #expect(total(.capacityChanges) > changes)
            #expect(total(.drains) > drains, "what does not fit goes down")
            #expect(capacities[0] > 8, "a class with misses grows: \(capacities)")
            expectCapacitiesToAgree()
        }
    }

    /// Who only allocates meets each block once: two batches of capacity spare as many misses as
    /// more would.
    @Test(.enabled(if: Heap.ensureStarted() && FrontEnd.mode == .sections, "no restartable sequences here"))
    func onlyBlocksThatComeAndGoGrowACache() throws {
        try TestHeap.run {
            let (afterStream, afterTurns) = try TestHeap.onProcessor(Self.processor) { () -> (Int, Int) in
                func capacity() -> Int { Self.header(FrontEnd.currentIndex() ?? -1).capacity }
                let blocks = (0..<5000).map { _ in Heap.allocate(UInt(Self.size)) }
                let afterStream = capacity()
                for block in blocks { Heap.free(block) }
                for _ in 0..<8 {
                    let blocks = (0..<600).map { _ in Heap.allocate(UInt(Self.size)) }
                    for block in blocks { Heap.free(block) }
                }
                return (afterStream, capacity())
            }
            let batch = Int(sizeClasses[Self.number].pointee.batch)
            #expect(afterStream >= batch && afterStream < 4 * batch, "\(afterStream)")
            #expect(afterTurns > 4 * batch, "\(afterTurns)")
            expectCapacitiesToAgree()
        }
    }

    @Test func aLargeHeapMayHaveLargerCaches() throws {
        try TestHeap.run {
            let pages = (16 * (3 << 20) >> Int(PERCOLATE_PAGE_SHIFT)) * TestHeap.processors.count
            let block = Heap.allocate(UInt(pages << Int(PERCOLATE_PAGE_SHIFT)))
            defer { Heap.free(block) }
            let capacityBytes = try TestHeap.onProcessor(Self.processor) { () -> UInt in
                let sizes = (1..<SizeClass.count).map { SizeClass.size(ofClass: $0) }.filter { $0 >= 512 }
                for _ in 0..<12 {
                    for size in sizes {
                        let blocks = (0..<(262144 / size)).map { _ in Heap.allocate(UInt(size)) }
                        for block in blocks { Heap.free(block) }
                    }
                }
                return FrontEnd.caches[FrontEnd.currentIndex() ?? -1].pointee.capacityBytes
            }
            #expect(capacityBytes > FrontEnd.state.pointee.budget * 3 / 2, "\(capacityBytes)")
            expectCapacitiesToAgree()
        }
    }

    @Test func drainingEmptiesEveryCache() throws {
        try TestHeap.run {
            try TestHeap.onProcessor(Self.processor) {
                let blocks = (0..<100).map { Heap.allocate(UInt($0 * 40)) }
                for block in blocks { Heap.free(block) }
            }
            #expect(FrontEnd.drainAll() > 0)
            for index in 0..<FrontEnd.indexCount where FrontEnd.caches[index].pointee.slab != 0 {
                for number in 1..<SizeClass.count {
                    #expect(Self.header(index, number).word == 0)
                }
                if FrontEnd.mode == .sections {
                    #expect(FrontEnd.gate(index).value == FrontEnd.caches[index].pointee.slab, "the gate is open again")
                }
            }
            #expect(FrontEnd.drainAll() == 0)
            expectCapacitiesToAgree()
        }
    }

    @Test(
        .enabled(
            if: Heap.ensureStarted() && FrontEnd.mode == .sections && FrontEnd.sequences.canFence,
            "nothing can be closed"))
    func anIdleCPUIsStolenFrom() throws {
        try TestHeap.run {
            let victim = try TestHeap.onProcessor(Self.processor) {
                let blocks = (0..<20).map { _ in Heap.allocate(UInt(Self.size)) }
                for block in blocks { Heap.free(block) }
                return FrontEnd.currentIndex() ?? -1
            }
            let held = Self.header(victim).count
            #expect(held > 0)
            let counts = (steals: total(.steals), objects: total(.stolenObjects))
            let thief = victim == 0 ? 1 : 0
            // Late enough for a turn, too early for the CPU to count as idle.
            let soon = FrontEnd.caches[victim].pointee.lastUsed.load(ordering: .relaxed) + 500
            #expect(!FrontEnd.stealFromIdle(thief, soon))
            #expect(Self.header(victim).count == held)
            let later = percolate_milliseconds() + 3_600_000
            #expect(!FrontEnd.stealFromIdle(thief, later), "its caches changed since the last round")
            #expect(Self.header(victim).count == held)
            #expect(FrontEnd.stealFromIdle(thief, later + 100))
            #expect(Self.header(victim).count == 0)
            #expect(total(.steals) > counts.steals)
            #expect(total(.stolenObjects) >= counts.objects + UInt64(held))
            #expect(!FrontEnd.stealFromIdle(thief, later + 150), "the next round waits its turn")
            #expect(!FrontEnd.stealFromIdle(thief, later + 300), "nothing is left")
            expectCapacitiesToAgree()
        }
    }

    @Test(
        .enabled(if: Heap.ensureStarted() && FrontEnd.mode != .hardened, "a hardened heap has no caches"),
        .enabled(if: TestHeap.processors.count > 1, "no other CPU"))
    func idleBudgetMovesAndNothingElse() throws {
        try TestHeap.run {
            let (own, other) = (TestHeap.processors[0], TestHeap.processors[1])
            let indexes = try [own, other].map { cpu in
                try TestHeap.onProcessor(cpu) { () -> Int in
                    for size in stride(from: 64, through: 32768, by: 64) {
                        let blocks = (0..<40).map { _ in Heap.allocate(UInt(size)) }
                        for block in blocks { Heap.free(block) }
                    }
                    return FrontEnd.currentIndex() ?? -1
                }
            }
            /// What must stay: headers, and what is counted where blocks move or gates close.
            func unmoved() -> [UInt64] {
                let headers = indexes.flatMap { index in (1..<SizeClass.count).map { Self.header(index, $0).word } }
                let counters: [Counter] = [
                    .drains, .drainedObjects, .stolenObjects, .capacityChanges, .gatesClosedLocal, .gatesClosedRemote,
                ]
                return headers + counters.map { total($0) }
            }
            func budgets() -> [UInt] { indexes.map { FrontEnd.caches[$0].pointee.budget } }
            func take(idle: Bool) -> Bool {
                let now = percolate_milliseconds()
                for index in indexes { FrontEnd.caches[index].pointee.lastUsed.store(now, ordering: .relaxed) }
                if idle { FrontEnd.caches[indexes[1]].pointee.lastUsed.store(0, ordering: .relaxed) }
                FrontEnd.state.pointee.lastTaking.store(0, ordering: .relaxed)
                return FrontEnd.takeBudget(1, for: indexes[0])
            }
            let held = FrontEnd.caches[indexes[1]].pointee.capacityBytes
            #expect(held > 65536, "the other CPU uses more than what idle ones keep in any case")
            let (before, blocks) = (budgets(), unmoved())
            #expect(!take(idle: false) && budgets() == before, "nobody is idle")
            #expect(take(idle: true), "the other CPU's budget was unused: \(before)")
            #expect(budgets() == [before[0] + before[1] - held, held], "no budget is made or lost")
            #expect(unmoved() == blocks)
            expectCapacitiesToAgree()
        }
    }

    @Test(
        .enabled(
            if: Heap.ensureStarted() && FrontEnd.mode == .sections && FrontEnd.sequences.canFence,
            "nothing can be closed"))
    func aClosedGateIsServedAround() throws {
        try TestHeap.run {
            let index = try TestHeap.onProcessor(Self.processor) {
                Heap.free(Heap.allocate(UInt(Self.size)))
                return FrontEnd.currentIndex() ?? -1
            }
            let gate = FrontEnd.gate(index)
            #expect(gate.lock.tryAcquire())
            #expect(gate.close(FrontEnd.sequences) != nil)
            let before = (
                header: Self.header(index).word, allocations: total(.directAllocations), frees: total(.directFrees)
            )
            let other = try TestHeap.onProcessor(Self.processor) { () -> Bool in
                let blocks = (0..<10).map { _ in Heap.allocate(UInt(Self.size)) }
                for block in blocks { Heap.free(block) }
                return Set(blocks).count == 10 && !blocks.contains(0)
            }
            let after = (
                header: Self.header(index).word, allocations: total(.directAllocations), frees: total(.directFrees)
            )
            gate.open(FrontEnd.caches[index].pointee.slab)
            gate.lock.release()
            #expect(other)
            #expect(after.header == before.header, "closed is neither empty nor full: the slab is somebody's")
            #expect(after.allocations >= before.allocations + 10 && after.frees >= before.frees + 10)
        }
    }

    @Test func blocksFreedOnOtherThreadsComeBack() throws {
        try TestHeap.run {
            let rounds = 20
            let perThread = 300
            let threads = 4
            nonisolated(unsafe) let table = UnsafeMutablePointer<UInt>.allocate(capacity: threads * perThread)
            defer { table.deallocate() }
            for _ in 0..<rounds {
                TestHeap.onThreads(threads) { thread in
                    for slot in 0..<perThread {
                        let block = Heap.allocate(UInt(16 + slot * 7))
                        UnsafeMutablePointer<UInt>(bitPattern: block)?.pointee = UInt(thread * perThread + slot)
                        table[thread * perThread + slot] = block
                    }
                }
                for slot in 0..<(threads * perThread)
                where UnsafeMutablePointer<UInt>(bitPattern: table[slot])?.pointee != UInt(slot) {
                    Issue.record("a block of two owners")
                }
                TestHeap.onThreads(threads) { thread in
                    let owner = (thread + 1) % threads
                    for slot in 0..<perThread { Heap.free(table[owner * perThread + slot]) }
                }
            }
            expectCapacitiesToAgree()
            _ = FrontEnd.drainAll()
        }
    }
}
