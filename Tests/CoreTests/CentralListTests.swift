import Foundation
import Testing

@testable import PercolateCoreHosted

/// A list of the tests' own, with spans of the process's arena.
@Suite struct CentralListTests {
    /// Spans of blocks of 64 bytes, 128 blocks each.
    private final class Fixture {
        static let number = 5
        let info = SizeClass(number: Fixture.number)
        var list = CentralList()
        private(set) var ids: [SpanID] = []

        var blocks: Int { Int(info.spanBlocks) }

        func add() throws -> SpanID {
            let request = SpanRequest(pages: Int(info.spanPages), kind: .small, sizeClass: Self.number)
            let span = try #require(try allocateSpan(request).get())
            list.add(span.id, info)
            ids.append(span.id)
            return span.id
        }

        /// Takes up to `count` blocks, in the order in which they were taken.
        func take(_ count: Int) -> [UInt64] {
            var buffer = [UInt64](repeating: 0, count: count)
            let taken = buffer.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.map { list.take(count, before: $0 + count, info) } ?? 0
            }
            return Array(buffer.suffix(taken).reversed())
        }

        /// Gives a block back. Whether its span is empty now.
        func give(_ block: UInt64) -> Bool {
            var block = block
            var isEmpty = false
            let given = list.give(&block, 1, span(of: block), info, holding: arenaLock, isEmpty: &isEmpty)
            #expect(given == 1)
            return isEmpty
        }

        func span(of block: UInt64) -> SpanID { spans.span(of: Middle.page(of: UInt(block))) }

        deinit {
            guard arenaLock.acquire() == .entered else { return }
            for id in ids { freeSpanLocked(id) }
            arenaLock.release()
        }
    }

    @Test func aNewSpanGivesEachBlockOnceLowestFirst() throws {
        try TestHeap.run {
            let fixture = Fixture()
            let id = try fixture.add()
            let base = UInt64(arena.address(Int(spans[id].pointee.firstPage)))
            #expect(fixture.list.freeBlocks == fixture.blocks)
            let taken = fixture.take(50) + fixture.take(1000)
            #expect(taken == (0..<fixture.blocks).map { base + UInt64($0 * 64) })
            #expect(fixture.list.freeBlocks == 0)
            #expect(fixture.take(1).isEmpty)
            #expect(fixture.list.fullest() == 0)
        }
    }

    @Test func theFullestSpanIsUsedFirst() throws {
        try TestHeap.run {
            let fixture = Fixture()
            let ids = try (0..<3).map { _ in try fixture.add() }
            let blocks = Dictionary(grouping: fixture.take(3 * fixture.blocks), by: fixture.span(of:))
            for (id, free) in zip(ids, [30, 100, 1]) {
                for block in try #require(blocks[id]).shuffled().prefix(free) { #expect(!fixture.give(block)) }
            }
            #expect(fixture.list.freeBlocks == 131)
            let order = fixture.take(131).map(fixture.span(of:))
            #expect(order == [ids[2]] + Array(repeating: ids[0], count: 30) + Array(repeating: ids[1], count: 100))
        }
    }

    @Test func anEmptySpanLeavesTheListAtOnce() throws {
        try TestHeap.run {
            let fixture = Fixture()
            let (first, second) = (try fixture.add(), try fixture.add())
            let taken = fixture.take(2 * fixture.blocks)
            for block in taken.filter({ fixture.span(of: $0) == second }).prefix(3) { #expect(!fixture.give(block)) }
            let all = taken.filter { fixture.span(of: $0) == first }.shuffled()
            for block in all.dropLast() { #expect(!fixture.give(block)) }
            #expect(fixture.give(try #require(all.last)))
            #expect(fixture.list.freeBlocks == 3)
            #expect(fixture.take(1000).allSatisfy { fixture.span(of: $0) == second })
        }
    }

    @Test(arguments: UInt64(1)...3) func noBlockIsLostOrDoubled(seed: UInt64) throws {
        try TestHeap.run {
            var random = SeededGenerator(seed: seed)
            let fixture = Fixture()
            for _ in 0..<6 { _ = try fixture.add() }
            let total = 6 * fixture.blocks
            var owned: Set<UInt64> = []
            for _ in 0..<2000 {
                if Bool.random(using: &random) {
                    for block in fixture.take(Int.random(in: 1...64, using: &random)) {
                        #expect(owned.insert(block).inserted)
                    }
                } else {
                    for block in owned.shuffled(using: &random).prefix(Int.random(in: 1...64, using: &random)) {
                        owned.remove(block)
                        if fixture.give(block) { fixture.list.add(fixture.span(of: block), fixture.info) }
                    }
                }
                #expect(fixture.list.freeBlocks == total - owned.count)
            }
            #expect(fixture.take(total).count == total - owned.count)
        }
    }

    @Test func aBlockFreedTwiceIsReported() async {
        let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            try TestHeap.startOfProcess()
            let fixture = Fixture()
            _ = try fixture.add()
            let taken = fixture.take(3)
            _ = fixture.give(taken[1])
            _ = fixture.give(taken[1])
        }
        #expect(report(result).contains("percolate: double free: 0x"), "\(report(result))")
        #expect(report(result).contains("(block of 64 bytes)"))
    }

    @Test func anInteriorPointerIsReported() async {
        let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            try TestHeap.startOfProcess()
            let fixture = Fixture()
            _ = try fixture.add()
            _ = fixture.give(fixture.take(1)[0] + 16)
        }
        #expect(report(result).contains("percolate: interior pointer: 0x"), "\(report(result))")
    }
}
