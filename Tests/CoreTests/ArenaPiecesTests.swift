import CPercolate
import Testing

@testable import PercolateCoreHosted

/// Where address space is short the window is not reserved: pieces are mapped around whatever is in
/// the way.
@Suite(.serialized) struct ArenaPiecesTests {
    private static let pages = 8 * Chunk.pages

    /// An arena of pieces at an address where this process has nothing.
    final class Window {
        var arena = Arena()
        let base: UInt
        private let metadata: ReservedMemory

        init(base: UInt) throws {
            self.base = base
            metadata = try #require(ReservedMemory(size: Arena.metadataSize(pages: ArenaPiecesTests.pages)))
            let isStarted = arena.start(
                base: base, pages: ArenaPiecesTests.pages, metadata: metadata.address, backing: .pieces)
            try #require(isStarted)
        }

        func allocate(_ count: Int) -> Arena.Allocation? { arena.allocateGrowing(count) }

        /// Maps something of somebody else's at `pages`.
        func obstruct(_ pages: Range<Int>) throws {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
            let bytes = pages.count << Int(PERCOLATE_PAGE_SHIFT)
            let result = percolate_mmap(arena.address(pages.lowerBound), bytes, PROT_READ | PROT_WRITE, flags)
            try #require(UInt(bitPattern: result) == arena.address(pages.lowerBound))
            arena.fill(pages, 99)
        }

        deinit { _ = percolate_munmap(base, ArenaPiecesTests.pages << Int(PERCOLATE_PAGE_SHIFT)) }
    }

    @Test func piecesAreUsable() throws {
        let window = try Window(base: 0x1f00_0000_0000)
        for mark in 1...UInt64(30) {
            let block = try #require(window.allocate(100))
            let pages = block.first..<(block.first + 100)
            #expect(block.dirty.isEmpty && window.arena.marks(pages) == [0])
            window.arena.fill(pages, mark)
        }
        for mark in 1...UInt64(30) {
            let first = Int(mark - 1) * 100
            #expect(window.arena.marks(first..<(first + 100)) == [mark])
        }
    }

    @Test(arguments: [1, 7, 100, 600]) func whatIsInTheWayStaysUntouched(count: Int) throws {
        let window = try Window(base: 0x1f10_0000_0000)
        let obstacles = [700..<701, 1536..<1540, 2100..<2900]
        for obstacle in obstacles { try window.obstruct(obstacle) }
        var blocks: [Range<Int>] = []
        while let block = window.allocate(count) {
            let pages = block.first..<(block.first + count)
            #expect(!obstacles.contains { $0.overlaps(pages) }, "\(pages)")
            #expect(!(blocks.last?.overlaps(pages) ?? false))
            window.arena.fill(pages, UInt64(blocks.count + 100))
            blocks.append(pages)
        }
        #expect(window.arena.inUse == blocks.count * count)
        // Whole chunks are free behind each obstacle.
        #expect(blocks.contains { $0.lowerBound >= 6 * Chunk.pages } && blocks.contains { $0.lowerBound < 700 })
        for (number, pages) in blocks.enumerated() { #expect(window.arena.marks(pages) == [UInt64(number + 100)]) }
        for obstacle in obstacles { #expect(window.arena.marks(obstacle) == [99]) }
        // The free tail is found again after everything came back.
        for pages in blocks { window.arena.free(pages) }
        #expect(window.arena.inUse == 0)
        #expect(window.allocate(count)?.first == blocks.first?.lowerBound)
    }
}
