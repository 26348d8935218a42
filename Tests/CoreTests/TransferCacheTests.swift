import Foundation
import Synchronization
import Testing

@testable import PercolateCoreHosted

/// Batches that rest between caches and spans.
@Suite struct TransferCacheTests {
    /// Blocks of a class that nothing else in this process uses, 12 to a span.
    private static let number = sizeClass(ofSize: 1664)
    private static let info = SizeClass(number: number)
    private static var list: UnsafeMutablePointer<CentralList> { Middle.list(number, 0) }

    private static func take(_ count: Int) -> [UInt64] {
        var blocks: [UInt64] = []
        while blocks.count < count {
            var buffer = [UInt64](repeating: 0, count: 64)
            let wanted = min(64, count - blocks.count)
            let supply = buffer.withUnsafeMutableBufferPointer { buffer -> Supply<Int> in
                guard let start = buffer.baseAddress else { return .noMemory }
                let partial = Middle.takePartial(number, wanted, before: start + 64, cpu: 0)
                guard case .noMemory = partial else { return partial }
                return Middle.takeFresh(number, wanted, before: start + 64, cpu: 0, growing: true)
            }
            guard case .given(let taken) = supply else { break }
            blocks += buffer.suffix(taken)
        }
        return blocks
    }

    private static func give(_ blocks: some Collection<UInt64>) {
        let batch = Array(blocks)
        var start = 0
        while start < batch.count {
            let count = min(64, batch.count - start)
            batch.withUnsafeBufferPointer { buffer in
                if let base = buffer.baseAddress { Middle.giveBatch(number, base + start, count) }
            }
            start += count
        }
    }

    private static var resting: Int { Int(list.pointee.transfer.count) }

    @Test func aBatchRestsAsItIsAndComesBackFirst() throws {
        try TestHeap.run {
            let before = (spans: spansInUse, free: Self.list.pointee.freeBlocks)
            let blocks = Self.take(400)
            let free = Self.list.pointee.freeBlocks
            let batch = Array(blocks[100..<130].shuffled())
            Self.give(batch)
            #expect(Self.resting == 30)
            #expect(Self.list.pointee.freeBlocks == free + 30, "what rests is free")
            #expect(Self.take(30) == batch)
            #expect(Self.resting == 0 && Self.list.pointee.freeBlocks == free)
            Self.give(blocks)
            _ = Middle.endRest()
            #expect(spansInUse == before.spans && Self.list.pointee.freeBlocks == before.free)
        }
    }

    @Test func anEighthOfWhatIsInUseRestsAtMost() throws {
        try TestHeap.run {
            let before = spansInUse
            let blocks = Self.take(480)
            for start in stride(from: 0, to: 480, by: 16) {
                let used = 480 - start
                Self.give(blocks[start..<(start + 16)])
                #expect(Self.resting <= TransferCache.capacity(Self.info))
                #expect(Self.resting <= used / 8, "\(used) in use, \(Self.resting) at rest")
            }
            _ = Middle.endRest()
            #expect(spansInUse == before)
        }
    }

    @Test func whoeverEmptiesCachesEndsRest() throws {
        try TestHeap.run {
            let before = spansInUse
            let blocks = Self.take(400)
            Self.give(blocks.prefix(20))
            #expect(Self.resting == 20)
            #expect(FrontEnd.drainAll() >= 20)
            #expect(Self.resting == 0)
            Self.give(blocks.dropFirst(20))
            _ = FrontEnd.drainAll()
            #expect(spansInUse == before)
        }
    }

    @Test func theScavengerEndsRestThatNobodyNeeded() throws {
        try TestHeap.run {
            let before = spansInUse
            let blocks = Self.take(400)
            Self.give(blocks.prefix(30))
            #expect(Middle.endIdleRest(), "the blocks came since the last tick")
            #expect(Self.resting == 30)
            let again = Self.take(10)
            #expect(Middle.endIdleRest())
            #expect(Self.resting == 0, "20 were not needed")
            Self.give(again + blocks.dropFirst(30))
            while Middle.endIdleRest() {}
            #expect(Self.resting == 0)
            #expect(spansInUse == before)
        }
    }

    @Test func aListIsMadeAnewWithWhatRests() throws {
        try TestHeap.run {
            let before = spansInUse
            let blocks = Self.take(400)
            Self.give(blocks.prefix(25))
            let counts = (free: Self.list.pointee.freeBlocks, spans: Self.list.pointee.spanCount)
            let position = (UInt(bitPattern: Self.list) - Middle.lists.address) / UInt(Middle.stride)
            #expect(Middle.lock(Self.list).tryAcquire())
            Middle.rebuild(Int(position))
            Middle.lock(Self.list).release()
            #expect(Self.list.pointee.freeBlocks == counts.free && Self.list.pointee.spanCount == counts.spans)
            #expect(Self.resting == 25)
            let all = Self.take(25) + blocks.dropFirst(25)
            #expect(Set(all) == Set(blocks))
            Self.give(all)
            _ = Middle.endRest()
            #expect(spansInUse == before)
        }
    }

    @Test func noBlockIsInTwoHands() throws {
        try TestHeap.run {
            let before = spansInUse
            let errors = Atomic<Int>(0)
            TestHeap.onThreads(6) { thread in
                var random = SeededGenerator(seed: UInt64(thread))
                var owned: [UInt64] = []
                for _ in 0..<400 {
                    if owned.count < 200 {
                        for block in Self.take(Int.random(in: 1...40, using: &random)) {
                            UnsafeMutablePointer<Int>(bitPattern: UInt(block))?.pointee = thread
                            owned.append(block)
                        }
                    } else {
                        let part = owned.suffix(Int.random(in: 2...64, using: &random))
                        for block in part where UnsafeMutablePointer<Int>(bitPattern: UInt(block))?.pointee != thread {
                            errors.wrappingAdd(1, ordering: .relaxed)
                        }
                        owned.removeLast(part.count)
                        if thread == 0, Int.random(in: 0..<8, using: &random) == 0 { _ = Middle.endRest() }
                        Self.give(part)
                    }
                }
                Self.give(owned)
            }
            #expect(errors.load(ordering: .relaxed) == 0)
            _ = Middle.endRest()
            #expect(spansInUse == before, "a block was lost")
        }
    }

    /// The control of the test above: the same cache without its lock loses blocks or gives
    /// some to two threads. In a process of its own: a count that two threads write may also
    /// lead out of the cache's memory.
    @Test func withoutTheLockBlocksAreLostOrDoubled() async {
        await #expect(processExitsWith: .failure) {
            guard let part = TransferMemory.makePart(lists: Middle.listCount) else { return }
            nonisolated(unsafe) let cache = UnsafeMutablePointer<TransferCache>.allocate(capacity: 1)
            for _ in 0..<200 {
                cache.initialize(to: TransferCache())
                cache.pointee.use(part: part)
                if Self.isWrongAfterExchange(cache) { exit(EXIT_FAILURE) }
            }
        }
    }

    /// Whether blocks that four threads put into a cache and take from it are not all there
    /// once at the end.
    private static func isWrongAfterExchange(_ shared: UnsafeMutablePointer<TransferCache>) -> Bool {
        nonisolated(unsafe) let cache = shared
        let held = Mutex<[UInt64]>([])
        TestHeap.onThreads(4) { thread in
            var own = (1...64).map { UInt64(thread * 1000 + $0) }
            for _ in 0..<2000 {
                own.withUnsafeMutableBufferPointer { buffer in
                    guard let start = buffer.baseAddress, buffer.count >= 8 else { return }
                    cache.pointee.push(start + (buffer.count - 8), 8)
                }
                own.removeLast(min(8, own.count))
                var target = [UInt64](repeating: 0, count: 8)
                let taken = target.withUnsafeMutableBufferPointer { buffer in
                    buffer.baseAddress.map { cache.pointee.pop(8, before: $0 + 8) } ?? 0
                }
                own += target.suffix(taken)
                if own.count < 8 { break }
            }
            held.withLock { $0 += own }
        }
        var rest = [UInt64](repeating: 0, count: 64)
        var all = held.withLock { $0 }
        while cache.pointee.count > 0 {
            let taken = rest.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.map { cache.pointee.pop(64, before: $0 + 64) } ?? 0
            }
            all += rest.suffix(taken)
        }
        return Set(all).count != 256 || all.count != 256
    }

    @Test func nothingRestsInAFullyHardenedProcess() async {
        await #expect(processExitsWith: .success) {
            try TestHeap.startOfProcess()
            guard FrontEnd.mode != .sections || FrontEnd.sequences.canFence else { return }
            let blocks = Self.take(400)
            Self.give(blocks.prefix(30))
            #expect(Self.resting == 30)
            Middle.endRestForGood()
            #expect(Self.resting == 0)
            Self.give(blocks.dropFirst(30).prefix(30))
            #expect(Self.resting == 0)
            #expect(blocks[0..<60].allSatisfy { Middle.isFree($0, Self.number) })
        }
    }

    @Test func whatRestsServesWhereThereIsNoOtherMemory() throws {
        try TestHeap.run {
            let before = spansInUse
            let blocks = Self.take(400)
            Self.give(blocks.prefix(30))
            let limit = arena.limits.hard
            arena.limits.hard = arena.inUse
            let address = UInt64(try Middle.allocateOne(Self.number, cpu: 0).get() ?? 0)
            // The spans that only resting blocks keep are there for a large block, too.
            Self.give(blocks.dropFirst(30).dropLast(64))
            #expect(Self.resting > 0)
            let large = Heap.allocate(UInt(arena.limits.hard - arena.inUse + 1) * 4096)
            arena.limits.hard = limit
            #expect(address != 0 && blocks.prefix(30).contains(address))
            #expect(large != 0)
            if large != 0 { Heap.free(large) }
            Self.give([address] + blocks.suffix(64))
            _ = FrontEnd.drainAll()
            #expect(spansInUse == before)
        }
    }
}
