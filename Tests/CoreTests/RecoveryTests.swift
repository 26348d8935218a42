import CPercolate
import Testing

@testable import PercolateCoreHosted

/// What is made anew after a thread was lost: everything that can be derived is spoilt here, and
/// must come back.
@Suite struct RecoveryTests {
    @Test(arguments: UInt64(1)...4) func anArenaIsMadeAnewFromItsSpans(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let pages = 8 * Chunk.pages
        let window = try ArenaTests.Window(pages: pages)
        let memory = try #require(ReservedMemory(size: SpanTable.size(pages: pages)))
        var table = SpanTable()
        table.place(at: memory.address, pages: pages)
        let isGrown = table.grow(toPages: pages)
        #expect(isGrown)
        func makeRecord() -> SpanID {
            let id = table.makeRecord()
            return id != 0 || !table.commitRecords(forPages: 0) ? id : table.makeRecord()
        }
        var owned: [SpanID: Range<Int>] = [:]
        for _ in 0..<300 {
            if Int.random(in: 0..<3, using: &random) > 0 {
                let count = Int.random(in: 1...40, using: &random)
                guard let first = window.allocate(count)?.first else { continue }
                let id = makeRecord()
                let range = first..<(first + count)
                table.setSpan(id, of: first..<(first + 1))
                table[id].pointee = Span(firstPage: UInt32(first), pages: UInt32(count), kind: .large)
                owned[id] = range
            } else if let (id, range) = owned.randomElement(using: &random) {
                owned[id] = nil
                table.setSpan(0, of: range)
                table.returnRecord(id)
                window.arena.free(range)
            }
        }
        // Half of an allocation, half of a free, and summaries that know of neither.
        let lost = try #require(window.allocate(30)).first..<0x7fff_ffff
        let freed = try #require(owned.randomElement(using: &random))
        owned[freed.key] = nil
        table[freed.key].pointee.kind = .unused
        let chunk = window.arena.tree.chunk(0)
        chunk.free.clear(100..<103)
        chunk.dirty.set(100..<103)

        table.rebuild()
        window.arena.repair(table)
        let used = owned.values.reduce(0) { $0 + $1.count }
        #expect(window.arena.inUse == used)
        #expect(lost.lowerBound < window.arena.committed)
        var taken = Set(owned.values.flatMap { $0 })
        #expect(taken.count == used)
        for page in 0..<window.arena.committed where taken.contains(page) {
            let isFree = window.arena.tree.chunk(page / Chunk.pages).free[page % Chunk.pages]
            if isFree { Issue.record("page \(page) is in use and free") }
        }
        // Every page that is left can be had, once.
        let left = window.arena.committed - used
        for _ in 0..<left {
            let allocation = try #require(window.allocate(1, growing: false))
            #expect(taken.insert(allocation.first).inserted)
        }
        #expect(window.allocate(1, growing: false) == nil)
        // And every record, once.
        let ids = (0..<1000).map { _ in makeRecord() }
        #expect(Set(ids).count == 1000 && Set(ids).isDisjoint(with: owned.keys))
    }
}

/// The same of what lies above the arena.
@Suite struct HeapRecoveryTests {
    @Test(arguments: UInt64(1)...4) func aListIsMadeAnewFromItsSpans(seed: UInt64) throws {
        try TestHeap.run {
            var random = SeededGenerator(seed: seed)
            let number = 5
            // A shard that no list of the process has.
            let shard = 200
            let info = sizeClasses[number].pointee
            var list = CentralList()
            var ids: [SpanID] = []
            for _ in 0..<5 {
                let request = SpanRequest(pages: Int(info.spanPages), kind: .small, sizeClass: number)
                let span = try #require(try allocateSpan(request).get())
                spans[span.id].pointee.shard = UInt8(shard)
                list.add(span.id, info)
                ids.append(span.id)
            }
            defer {
                if arenaLock.acquire() == .entered {
                    for id in ids { freeSpanLocked(id) }
                    arenaLock.release()
                }
            }
            let total = 5 * Int(info.spanBlocks)
            var buffer = [UInt64](repeating: 0, count: total)
            let count = Int.random(in: 100..<total, using: &random)
            let taken = buffer.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.map { list.take(count, before: $0 + count, info) } ?? 0
            }
            #expect(taken == count)
            for id in ids {
                spans[id].pointee.free = UInt16.random(in: 0...512, using: &random)
                spans[id].pointee.next = SpanID.random(in: 0...100, using: &random)
                spans[id].pointee.previous = SpanID.random(in: 0...100, using: &random)
                spans[id].pointee.bin = UInt8.random(in: 0...7, using: &random)
            }
            list.rebuild(number, shard: shard, info)
            #expect(list.freeBlocks == total - count && list.spanCount == 5)
            var rest = [UInt64](repeating: 0, count: total)
            let left = rest.withUnsafeMutableBufferPointer { rest in
                rest.baseAddress.map { list.take(total, before: $0 + total, info) } ?? 0
            }
            #expect(left == total - count)
            #expect(Set(rest.suffix(left)).union(buffer.prefix(count)).count == total, "no block twice, none lost")
        }
    }

    @Test(
        .enabled(
            if: Heap.ensureStarted() && FrontEnd.mode == .sections && FrontEnd.sequences.canFence,
            "nothing can be closed"))
    func aCacheThatWasClosedIsEmptiedAndOpened() throws {
        try TestHeap.run {
            let index = try TestHeap.onProcessor(TestHeap.processors[0]) {
                for _ in 0..<50 { Heap.free(Heap.allocate(300)) }
                return FrontEnd.currentIndex() ?? -1
            }
            let gate = FrontEnd.gate(index)
            #expect(gate.lock.tryAcquire())
            #expect(gate.close(FrontEnd.sequences) != nil)
            // The emptying had come half-way.
            Slab(address: FrontEnd.caches[index].pointee.slab).headerWord(3).pointee = 0
            percolate_repair_lock(gate.lock.address)
            gate.lock.release()
            #expect(gate.value == FrontEnd.caches[index].pointee.slab)
            #expect(FrontEnd.caches[index].pointee.capacityBytes == 0)
            for number in 1..<SizeClass.count {
                #expect(FrontEnd.caches[index].pointee.regionPowers[number] == 0)
            }
        }
    }
}
