import CPercolate
import Testing

@testable import PercolateCoreHosted

/// Arenas of the tests' own, over real memory.
@Suite struct ArenaTests {
    /// An arena and the memory it lies in.
    final class Window {
        var arena = Arena()
        private let memory: ReservedMemory

        init(pages: Int) throws {
            let metadata = Arena.metadataSize(pages: pages)
            let window = UInt(pages) * Arena.pageSize
            memory = try #require(ReservedMemory(size: window + roundUp(metadata, 1 << 21)))
            let isStarted = arena.start(
                base: memory.address, pages: pages, metadata: memory.address + window, backing: .reserved)
            try #require(isStarted)
        }

        func allocate(_ count: Int, alignment: Int = 1, growing: Bool = true) -> Arena.Allocation? {
            arena.allocateGrowing(count, alignment: alignment, growing: growing)
        }

        func allocate(exactly pages: Range<Int>) -> Arena.Allocation? { arena.allocate(exactly: pages) }

        func allocate(last count: Int) -> Arena.Allocation? { arena.allocate(last: count) }

        /// The runs that a release takes.
        func beginRelease(most: Int, shortest: Int = 1) -> [Range<Int>] {
            guard arena.beginRelease(most: most, shortest: shortest) else { return [] }
            return (0..<arena.releasing.count).map { arena.releasing[$0] }
        }

        /// Ends a release of which the kernel took everything, or nothing.
        func finishRelease(released: Bool) { arena.finishRelease(released ? ~0 : 0, at: percolate_milliseconds()) }

        /// Writes `mark` into every page.
        func fill(_ pages: Range<Int>, _ mark: UInt64) { arena.fill(pages, mark) }

        /// What `release` does to the process's arena. Returns the number of pages released.
        func release(_ most: Int) throws -> Int {
            let runs = beginRelease(most: most)
            guard !runs.isEmpty else { return 0 }
            for pages in runs {
                let bytes = pages.count << Int(PERCOLATE_PAGE_SHIFT)
                try #require(percolate_madvise(arena.address(pages.lowerBound), bytes, MADV_DONTNEED) == 0)
            }
            finishRelease(released: true)
            return arena.releasing.pageCount
        }

        /// A tick of the scavenger, and the release that it asks for.
        func tick() throws {
            var left = arena.retention.tick().pages
            while left > 0, case let count = try release(left), count > 0 { left -= count }
        }
    }

    @Test(arguments: UInt64(1)...3) func allocationsAreTheirOwnersAlone(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let window = try Window(pages: 16 * Chunk.pages)
        var owned: [UInt64: Range<Int>] = [:]
        for mark in 1...UInt64(600) {
            if Int.random(in: 0..<5, using: &random) < 3 {
                let count = Int.random(in: 1...(1 << Int.random(in: 0...9, using: &random)), using: &random)
                let alignment = 1 << Int.random(in: 0...6, using: &random)
                guard let allocation = window.allocate(count, alignment: alignment) else { continue }
                #expect(window.arena.address(allocation.first) % (UInt(alignment) * Arena.pageSize) == 0)
                let pages = allocation.first..<(allocation.first + count)
                if allocation.dirty.isEmpty { #expect(window.arena.marks(pages) == [0], "clean pages read as zero") }
                window.fill(pages, mark)
                owned[mark] = pages
            } else if let (mark, pages) = owned.randomElement(using: &random) {
                #expect(window.arena.marks(pages) == [mark], "nobody else wrote")
                owned[mark] = nil
                window.arena.free(pages)
                if Bool.random(using: &random) { _ = try window.release(Int.random(in: 1...200, using: &random)) }
            }
            #expect(window.arena.inUse == owned.values.reduce(0) { $0 + $1.count })
        }
        for (mark, pages) in owned { #expect(window.arena.marks(pages) == [mark]) }
    }

    @Test func anAlignedHoleServesWhatItHeldBefore() throws {
        let window = try Window(pages: 16 * Chunk.pages)
        let blocks = try (0..<4).map { _ in
            try #require(window.allocate(2 * Chunk.pages, alignment: Chunk.pages)).first
        }
        window.arena.free(blocks[1]..<(blocks[1] + 2 * Chunk.pages))
        let next = try #require(window.allocate(2 * Chunk.pages, alignment: Chunk.pages))
        #expect(next.first == blocks[1])
    }

    @Test func theLowestPagesAreUsedFirst() throws {
        let window = try Window(pages: 4 * Chunk.pages)
        let blocks = try (0..<5).map { _ in try #require(window.allocate(10)).first }
        #expect(blocks == [0, 10, 20, 30, 40])
        window.arena.free(30..<40)
        window.arena.free(10..<20)
        #expect(window.allocate(10)?.first == 10)
        #expect(window.allocate(11)?.first == 50)
        #expect(window.allocate(10)?.first == 30)
    }

    @Test func exactExtensionTakesAllOrNothing() throws {
        let window = try Window(pages: 4 * Chunk.pages)
        _ = try #require(window.allocate(10))
        let second = try #require(window.allocate(20))
        try #require(second.first == 10)
        #expect(window.allocate(exactly: 5..<15) == nil, "both ends belong to blocks")
        #expect(window.allocate(exactly: 25..<40) == nil, "its first pages are in use")
        #expect(window.arena.inUse == 30)
        #expect(window.allocate(exactly: 30..<40)?.first == 30)
        #expect(window.arena.inUse == 40)
        #expect(window.allocate(1)?.first == 40)
        let end = window.arena.committed
        #expect(window.allocate(exactly: (end - 1)..<(end + 1)) == nil, "only committed pages extend a block")
    }

    /// Tables lie behind all blocks, as low as the last run that is long enough.
    @Test func pagesForTablesAreTheLastFreeOnes() throws {
        let window = try Window(pages: 4096)
        let whole = try #require(window.allocate(2000))
        window.arena.free(whole.first..<(whole.first + 1990))
        let committed = window.arena.committed
        let last = try #require(window.allocate(last: 8))
        #expect(last.first + 8 == committed || committed == 2000 && last.first + 8 == 1990)
        let next = try #require(window.allocate(last: 8))
        #expect(next.first + 8 <= last.first)
        // A chunk has 512 pages.
        #expect(window.allocate(last: 513) == nil)
    }

    /// Retired pages are neither free nor in use, and stay so.
    @Test func retiredPagesAreNoPages() throws {
        let window = try Window(pages: 2048)
        let whole = try #require(window.allocate(2048))
        window.arena.free(whole.first..<2048)
        let retired = try #require(window.allocate(last: 64))
        window.arena.retire(retired.first..<(retired.first + 64))
        #expect(window.arena.inUse == 0)
        var taken = 0
        while let page = window.allocate(1) {
            #expect(!(retired.first..<(retired.first + 64)).contains(page.first))
            taken += 1
        }
        #expect(taken == 2048 - 64)
    }

    @Test func anArenaGrowsToItsLimitAndNoFurther() throws {
        let pages = 4 * Chunk.pages
        let window = try Window(pages: pages)
        #expect(window.allocate(1, growing: false) == nil, "nothing is committed yet")
        #expect(window.arena.committed == 0)
        var count = 0
        while window.allocate(7) != nil { count += 7 }
        while window.allocate(1) != nil { count += 1 }
        #expect(count == pages)
        #expect(window.arena.committed == pages && window.arena.inUse == pages)
        #expect(window.allocate(pages + 1) == nil)
        window.arena.free(0..<pages)
        #expect(window.allocate(pages)?.first == 0, "the free pages are one run")
    }

    @Test func aRequestCommitsLittleMoreThanItNeeds() throws {
        let window = try Window(pages: 64 * Chunk.pages)
        _ = try #require(window.allocate(3))
        #expect(window.arena.committed <= 64)
        _ = try #require(window.allocate(1000))
        #expect(window.arena.committed <= 1003 + 64)
    }

    @Test func aReleasedPageReadsAsZeroAndCountsAsClean() throws {
        let window = try Window(pages: 4 * Chunk.pages)
        #expect(try #require(window.allocate(100)).dirty.isEmpty)
        window.fill(0..<100, 7)
        window.arena.free(0..<100)
        #expect(window.arena.retention.resident == 100)
        #expect(try #require(window.allocate(100)).dirty == 0..<100, "used pages may hold old bytes")
        #expect(window.arena.marks(0..<100) == [7])
        window.arena.free(0..<100)
        #expect(try window.release(60) == 60)
        #expect(window.arena.retention.resident == 40)
        // The highest go first: the lowest are used next.
        #expect(try #require(window.allocate(40)).dirty == 0..<40)
        let rest = try #require(window.allocate(60))
        #expect(rest.first == 40 && rest.dirty.isEmpty)
        #expect(window.arena.marks(40..<100) == [0])
        #expect(window.arena.retention.releasedTotal == 60)
    }

    @Test func everyFreePageCanBeReleased() throws {
        let window = try Window(pages: 4 * Chunk.pages)
        let pages = 3 * Chunk.pages
        _ = try #require(window.allocate(pages))
        for start in stride(from: 0, to: pages, by: 50) { window.arena.free(start..<min(start + 25, pages)) }
        let expected = window.arena.retention.resident
        // 1536 pages: 30 rounds of 50, and 25 of the last 36.
        #expect(expected == 30 * 25 + 25)
        var released = 0
        while case let count = try window.release(1000), count > 0 { released += count }
        #expect(released == expected)
        #expect(window.arena.retention.resident == 0)
    }

    @Test func memoryThatTheKernelKeepsStaysDirty() throws {
        let window = try Window(pages: 4 * Chunk.pages)
        _ = try #require(window.allocate(50))
        window.arena.free(0..<50)
        #expect(window.beginRelease(most: 50) == [0..<50])
        #expect(window.arena.tree.find(50) != 0, "pages on their way to the kernel are nobody's")
        window.finishRelease(released: false)
        #expect(try #require(window.allocate(50)).dirty == 0..<50)
        #expect(window.arena.retention.releasedTotal == 0)
    }

    @Test func aBlockThatSpansCleanAndDirtyPagesSaysWhichAreDirty() throws {
        let window = try Window(pages: 4 * Chunk.pages)
        _ = try #require(window.allocate(700))
        window.arena.free(600..<650)
        _ = try window.release(1000)
        window.arena.free(590..<600)
        window.arena.free(650..<660)
        #expect(try #require(window.allocate(70)).dirty == 590..<660)
        window.arena.free(590..<660)
        _ = try window.release(1000)
        #expect(window.arena.retention.resident == 0)
        #expect(try #require(window.allocate(70)).dirty.isEmpty)
    }

    @Test func aRunWithCleanPagesInsideIsReleasedAsOne() throws {
        let window = try Window(pages: 4 * Chunk.pages)
        _ = try #require(window.allocate(400))
        window.fill(0..<400, 7)
        window.arena.free(100..<120)
        #expect(try window.release(1000) == 20)
        window.arena.free(80..<100)
        window.arena.free(120..<140)
        #expect(window.beginRelease(most: 1000) == [80..<140])
        #expect(window.arena.releasing.pageCount == 40, "the clean ones are not counted again")
        window.finishRelease(released: false)
        #expect(window.arena.retention.resident == 40)
        #expect(try #require(window.allocate(60)).dirty == 80..<140)
    }

    @Test func aBlockFreedAndAllocatedInALoopKeepsItsPages() throws {
        let window = try Window(pages: 16 * Chunk.pages)
        var releases: [Int] = []
        for _ in 0..<50 {
            let block = try #require(window.allocate(4000))
            window.arena.free(block.first..<(block.first + 4000))
            var released = 0
            let now = percolate_milliseconds()
            while case let excess = window.arena.retention.demand(inUse: 0, at: now).pages, excess > 0 {
                released += try window.release(excess)
            }
            releases.append(released)
        }
        #expect(releases[0] > 3000, "the first free looks like one for good")
        #expect(releases[2...].allSatisfy { $0 == 0 }, "the program wants it back: \(releases)")
    }
}

extension Arena {
    /// What `allocateSpan` does, without locks.
    mutating func allocateGrowing(_ count: Int, alignment: Int = 1, growing: Bool = true) -> Allocation? {
        while true {
            do throws(Shortage) {
                return try allocate(count, alignment: alignment)
            } catch {
                guard growing, error == .noRun else { return nil }
            }
            let growth = Growth(of: count + alignment - 1, in: self)
            guard let pages = growth.run({ commitMetadata(pages: $0) }) else { return nil }
            grow(by: pages)
        }
    }

    /// Writes `mark` to the first and the last word of each page.
    func fill(_ pages: Range<Int>, _ mark: UInt64) {
        for page in pages {
            let words: UnsafeMutablePointer<UInt64> = pointer(address(page))
            words[0] = mark
            words[511] = mark
        }
    }

    /// What is in the words that `fill` writes.
    func marks(_ pages: Range<Int>) -> Set<UInt64> {
        var found: Set<UInt64> = []
        for page in pages {
            let words: UnsafeMutablePointer<UInt64> = pointer(address(page))
            found.formUnion([words[0], words[511]])
        }
        return found
    }
}
