import Testing

@testable import PercolateCoreHosted

/// The tree finds what a search from the lowest page finds, in windows of several levels.
@Suite struct FreeTreeTests {
    /// Free runs in order of address, none touching its neighbour.
    private struct Model {
        private(set) var runs: [Range<Int>] = []

        func find(_ count: Int) -> Int? { runs.first { $0.count >= count }?.lowerBound }

        mutating func take(_ pages: Range<Int>) {
            guard
                let index = runs.firstIndex(where: {
                    $0.lowerBound <= pages.lowerBound && $0.upperBound >= pages.upperBound
                })
            else { preconditionFailure("the model has no such run") }
            let run = runs[index]
            let rest = [run.lowerBound..<pages.lowerBound, pages.upperBound..<run.upperBound]
            runs.replaceSubrange(index...index, with: rest.filter { !$0.isEmpty })
        }

        mutating func give(_ pages: Range<Int>) {
            var pages = pages
            var index = runs.firstIndex { $0.lowerBound >= pages.upperBound } ?? runs.endIndex
            if index < runs.endIndex, runs[index].lowerBound == pages.upperBound {
                pages = pages.lowerBound..<runs.remove(at: index).upperBound
            }
            if index > 0, runs[index - 1].upperBound == pages.lowerBound {
                index -= 1
                pages = runs.remove(at: index).lowerBound..<pages.upperBound
            }
            runs.insert(pages, at: index)
        }
    }

    /// A tree over memory of its own, and its model.
    private struct Window {
        var tree = FreeTree()
        var model = Model()
        let memory: ReservedMemory

        init(chunks: Int) throws {
            memory = try #require(ReservedMemory(size: FreeTree.size(chunkCount: chunks)))
            let isPlaced = tree.place(at: memory.address, chunkCount: chunks)
            try #require(isPlaced)
        }

        mutating func grow(to chunks: Int) {
            let first = tree.chunkCount * Chunk.pages
            let grew = tree.commit(chunks: chunks)
            #expect(grew)
            tree.grow(toChunks: chunks)
            #expect(tree.chunkCount == chunks)
            give(first..<(chunks * Chunk.pages))
        }

        mutating func give(_ pages: Range<Int>) {
            tree.forEachChunk(pages) { chunk, range in chunk.free.set(range) }
            tree.update(FreeTree.chunks(of: pages))
            model.give(pages)
        }

        mutating func take(_ pages: Range<Int>) {
            tree.forEachChunk(pages) { chunk, range in chunk.free.clear(range) }
            tree.update(FreeTree.chunks(of: pages))
            model.take(pages)
        }
    }

    /// Sizes from a page to several chunks.
    private static func randomCount(_ random: inout SeededGenerator) -> Int {
        Int.random(in: 1...(1 << Int.random(in: 0...12, using: &random)), using: &random)
    }

    /// 1 chunk: the tree is its level 0. 700: four levels above it.
    @Test(arguments: [1, 3, 8, 9, 70, 700]) func findsTheLowestRunThatIsLongEnough(chunks: Int) throws {
        var random = SeededGenerator(seed: UInt64(chunks))
        var window = try Window(chunks: chunks)
        var taken: [Range<Int>] = []
        for turn in 0..<1200 {
            if turn % 100 == 0, window.tree.chunkCount < chunks {
                window.grow(to: min(chunks, window.tree.chunkCount + max(1, chunks / 7)))
            }
            let count = Self.randomCount(&random)
            let found = window.tree.find(count)
            try #require(found == window.model.find(count), "a run of \(count) at turn \(turn)")
            if let found, Int.random(in: 0..<5, using: &random) < 3 {
                taken.append(found..<(found + count))
                window.take(found..<(found + count))
            } else if !taken.isEmpty {
                window.give(taken.remove(at: Int.random(in: 0..<taken.count, using: &random)))
            }
        }
        for run in taken { window.give(run) }
        #expect(window.tree.find(window.tree.chunkCount * Chunk.pages) == 0, "all pages are one run again")
    }

    @Test func aRunMayCrossChunksAndLevels() throws {
        var window = try Window(chunks: 64)
        window.grow(to: 64)
        let pages = 64 * Chunk.pages
        window.take(0..<pages)
        // Each crosses the border of a chunk, of a node of eight chunks, and of the middle of the
        // window.
        for border in [2, 8, 32] {
            let run = (border * Chunk.pages - 700)..<(border * Chunk.pages + 800)
            window.give(run)
            #expect(window.tree.find(run.count) == run.lowerBound)
            #expect(window.tree.find(run.count + 1) == nil)
            window.take(run)
        }
        #expect(window.tree.find(1) == nil)
    }

    @Test(arguments: [1, 3, 8, 9, 70, 700]) func findsTheLastChunkWithPagesToRelease(chunks: Int) throws {
        var random = SeededGenerator(seed: UInt64(chunks))
        var window = try Window(chunks: chunks)
        window.grow(to: chunks)
        #expect(window.tree.lastReleasableChunk(shortest: 1) == nil)
        var marked: [Int: Int] = [:]
        for _ in 0..<300 {
            let index = Int.random(in: 0..<chunks, using: &random)
            let run = Int.random(in: 1...40, using: &random)
            window.tree.chunk(index).dirty.clear(0..<Chunk.pages)
            if marked[index] == nil {
                let page = Int.random(in: 0..<(Chunk.pages - run), using: &random)
                window.tree.chunk(index).dirty.set(page..<(page + run))
                marked[index] = run
            } else {
                marked[index] = nil
            }
            window.tree.update(index...index)
            for shortest in [1, Int.random(in: 1...40, using: &random)] {
                let expected = marked.filter { $0.value >= shortest }.keys.max()
                #expect(window.tree.lastReleasableChunk(shortest: shortest) == expected)
                #expect(window.tree.hasReleasable(shortest) == (expected != nil))
            }
        }
    }

    @Test func anEmptyTreeFindsNothing() throws {
        let window = try Window(chunks: 8)
        #expect(window.tree.find(1) == nil)
        #expect(window.tree.metadataBytes == 4096, "what says where its levels are")
    }

    @Test func aTreeDoesNotGrowBeyondItsAddresses() throws {
        var window = try Window(chunks: 8)
        let grew = window.tree.commit(chunks: 1 << 20)
        #expect(!grew && window.tree.chunkCount == 0)
    }
}
