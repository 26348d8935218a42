import Foundation
import Testing

@testable import PercolateCoreHosted

/// Batches between the caches and the spans.
@Suite struct MiddleTests {
    /// A class that nothing else in this process uses: blocks of 20480 bytes.
    private static let number = sizeClass(ofSize: 20480)
    private static let info = sizeClasses[number].pointee

    private enum Source { case partial, fresh }

    private static func take(_ count: Int, _ source: Source, cpu: Int = 0) throws -> [UInt64] {
        var buffer = [UInt64](repeating: 0, count: count)
        let supply = buffer.withUnsafeMutableBufferPointer { buffer -> Supply<Int> in
            guard let start = buffer.baseAddress else { return .noMemory }
            return switch source {
            case .partial: Middle.takePartial(number, count, before: start + count, cpu: cpu)
            case .fresh: Middle.takeFresh(number, count, before: start + count, cpu: cpu, growing: true)
            }
        }
        return Array(buffer.suffix(try supply.get() ?? 0))
    }

    private static func free(_ blocks: [UInt64]) {
        var given = 0
        let done = blocks.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { Middle.tryFree(number, $0, buffer.count, given: &given) } ?? true
        }
        #expect(done && given == blocks.count)
    }

    @Test func aFreshSpanServesUntilItIsUsedUp() throws {
        try TestHeap.run {
            let before = spansInUse
            #expect(try Self.take(1, .partial).isEmpty, "the class has no span yet")
            let first = try Self.take(1, .fresh)
            #expect(spansInUse == before + 1)
            let rest = try Self.take(64, .partial)
            let blocks = first + rest
            #expect(blocks.count == Int(Self.info.spanBlocks))
            #expect(Set(blocks).count == blocks.count)
            #expect(try Self.take(1, .partial).isEmpty)
            Self.free(blocks)
            #expect(spansInUse == before, "an empty span goes back")
        }
    }

    /// Two threads that miss at once both ask for a span; the second must not leave its own unused
    /// in the list.
    @Test func aFreshSpanThatIsNotNeededGoesBack() throws {
        try TestHeap.run {
            let before = spansInUse
            let first = try Self.take(1, .fresh)
            let second = try Self.take(1, .fresh)
            #expect(spansInUse == before + 1)
            Self.free(first + second)
            #expect(spansInUse == before)
        }
    }

    @Test func emptySpansGoBackFromOneBatch() throws {
        try TestHeap.run {
            let before = (spans: spansInUse, pages: arena.inUse)
            var blocks: [UInt64] = []
            for _ in 0..<5 { blocks += try Self.take(Int(Self.info.spanBlocks), .fresh) }
            #expect(spansInUse == before.spans + 5)
            Self.free(blocks.shuffled())
            #expect(spansInUse == before.spans)
            #expect(arena.inUse == before.pages)
        }
    }

    /// A refill that needs the blocks of several spans gets them of one run of pages, where there
    /// is one.
    @Test func severalSpansComeOfOneRun() throws {
        try TestHeap.run {
            let before = (spans: spansInUse, pages: arena.inUse)
            let count = 3 * Int(Self.info.spanBlocks)
            var blocks = try Self.take(count, .fresh)
            while blocks.count < count {
                let more = try Self.take(count - blocks.count, .fresh)
                guard !more.isEmpty else { break }
                blocks += more
            }
            #expect(Set(blocks).count == count)
            let ids = Set(blocks.map { spans.span(of: Middle.page(of: UInt($0))) })
            #expect(ids.count == 3 && spansInUse == before.spans + 3)
            #expect(ids.allSatisfy { spans[$0].pointee.isListed && spans[$0].pointee.free == 0 })
            Self.free(blocks.shuffled())
            #expect(spansInUse == before.spans && arena.inUse == before.pages)
        }
    }

    @Test(.enabled(if: Heap.ensureStarted() && Middle.shardCount(number) > 1, "one shard on this machine"))
    func aSpanStaysInTheShardThatMadeIt() throws {
        try TestHeap.run {
            let mine = try Self.take(2, .fresh, cpu: 0)
            let theirs = try Self.take(2, .fresh, cpu: 1)
            let shards = (mine + theirs).map { spans[spans.span(of: Middle.page(of: UInt($0)))].pointee.shard }
            #expect(shards == [0, 0, 1, 1])
            let mineRest = try Self.take(64, .partial, cpu: 0)
            #expect(Set(mineRest).isDisjoint(with: theirs))
            // One batch may hold blocks of several shards.
            Self.free([mine[0], theirs[0], mine[1], theirs[1]] + mineRest)
            let left = try Self.take(64, .partial, cpu: 1)
            #expect(left.isEmpty, "both spans are empty and gone")
        }
    }

    /// Blocks of less than a cache line: what one CPU allocates shares no line with what another
    /// does, and a block knows whose neighbour it is.
    @Test(.enabled(if: Heap.ensureStarted() && Middle.shardCount(1) > 1, "one CPU"), arguments: [8, 16, 32, 48])
    func smallBlocksOfTwoCPUsShareNoLine(size: Int) throws {
        try TestHeap.run {
            let number = sizeClass(ofSize: size)
            // What other tests left in the lists comes first; then each CPU has a span of its own.
            let blocks = (0..<2).map { cpu in
                var buffer = [UInt64](repeating: 0, count: 100)
                let supply = buffer.withUnsafeMutableBufferPointer { buffer -> Supply<Int> in
                    guard let start = buffer.baseAddress else { return .noMemory }
                    return Middle.takeFresh(number, 100, before: start + 100, cpu: cpu, growing: true)
                }
                guard case .given(let count) = supply else { return [UInt64]() }
                return Array(buffer.suffix(count))
            }
            #expect(blocks.allSatisfy { !$0.isEmpty })
            let lines = blocks.map { Set($0.map { $0 / 64 }) }
            #expect(lines[0].isDisjoint(with: lines[1]))
            for cpu in 0..<2 {
                #expect(blocks[cpu].allSatisfy { !Middle.isForeign($0, number, cpu: cpu) })
                #expect(blocks[1 - cpu].allSatisfy { Middle.isForeign($0, number, cpu: cpu) })
            }
            for each in blocks {
                var given = 0
                let done = each.withUnsafeBufferPointer { buffer in
                    buffer.baseAddress.map { Middle.tryFree(number, $0, buffer.count, given: &given) } ?? true
                }
                #expect(done && given == each.count)
            }
        }
    }

    @Test func oneBlockComesFromWherever() throws {
        try TestHeap.run {
            let before = spansInUse
            let first = UInt64(try #require(try Middle.allocateOne(Self.number, cpu: 0).get()))
            let second = UInt64(try #require(try Middle.allocateOne(Self.number, cpu: 0).get()))
            #expect(first != 0 && second != 0 && first != second)
            #expect(spansInUse == before + 1)
            Self.free([first, second])
            #expect(spansInUse == before)
        }
    }

    @Test func threadsExchangeBatchesWithoutLoss() throws {
        try TestHeap.run {
            let before = spansInUse
            TestHeap.onThreads(6) { thread in
                var random = SeededGenerator(seed: UInt64(thread))
                var owned: [UInt64] = []
                for _ in 0..<500 {
                    if owned.count < 40, Bool.random(using: &random) {
                        let source: Source = Int.random(in: 0..<4, using: &random) == 0 ? .fresh : .partial
                        guard let taken = try? Self.take(Int.random(in: 1...8, using: &random), source, cpu: thread % 2)
                        else {
                            Issue.record("a lock refused its only owner")
                            return
                        }
                        for block in taken { UnsafeMutablePointer<Int>(bitPattern: UInt(block))?.pointee = thread }
                        owned += taken
                    } else if !owned.isEmpty {
                        owned.shuffle(using: &random)
                        let part = owned.suffix(Int.random(in: 1...owned.count, using: &random))
                        for block in part where UnsafeMutablePointer<Int>(bitPattern: UInt(block))?.pointee != thread {
                            Issue.record("a block of two threads")
                        }
                        owned.removeLast(part.count)
                        Self.free(Array(part))
                    }
                }
                if !owned.isEmpty { Self.free(owned) }
            }
            #expect(spansInUse == before)
        }
    }

    @Test func aBlockOfASpanThatIsGoneIsADoubleFree() async {
        let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            try TestHeap.startOfProcess()
            let blocks = try Self.take(64, .fresh)
            Self.free(blocks)
            Self.free([blocks[0]])
        }
        #expect(report(result).contains("percolate: double free: 0x"), "\(report(result))")
    }
}
