import Testing

@testable import PercolateCoreHosted

/// A chunk's bits and summaries agree with two arrays of Booleans, whatever was done to them.
@Suite struct ChunkTests {
    /// A chunk and what it must say.
    private struct Model {
        var free = [Bool](repeating: false, count: Chunk.pages)
        var dirty = [Bool](repeating: false, count: Chunk.pages)

        func firstFree(_ count: Int) -> Int? {
            var run = 0
            for page in 0..<Chunk.pages {
                run = free[page] ? run + 1 : 0
                if run == count { return page - count + 1 }
            }
            return nil
        }

        /// Runs of pages that are free and dirty, lowest first.
        var releasable: [Range<Int>] {
            var result: [Range<Int>] = []
            for page in 0..<Chunk.pages where free[page] && dirty[page] {
                if let last = result.last, last.upperBound == page {
                    result[result.count - 1] = last.lowerBound..<(page + 1)
                } else {
                    result.append(page..<(page + 1))
                }
            }
            return result
        }

        func lastReleasable(shortest: Int) -> Range<Int>? {
            guard let found = releasable.last(where: { $0.count >= shortest }) else { return nil }
            // Everything dirty in the same run of free pages belongs to it.
            let joined = releasable.filter { run in
                let between = min(run.lowerBound, found.lowerBound)..<max(run.upperBound, found.upperBound)
                return between.allSatisfy { free[$0] }
            }
            return joined[0].lowerBound..<joined[joined.count - 1].upperBound
        }

        var summary: FreeRuns {
            let runs = free.split(separator: false, omittingEmptySubsequences: false).map { UInt32($0.count) }
            return FreeRuns(
                start: runs.first ?? 0, longest: runs.max() ?? 0, end: runs.last ?? 0,
                releasable: UInt32(releasable.map(\.count).max() ?? 0))
        }
    }

    private func withChunk(_ body: (Chunk) throws -> Void) rethrows {
        let bits = UnsafeMutablePointer<UInt64>.allocate(capacity: Chunk.stride / 8)
        defer { bits.deallocate() }
        bits.initialize(repeating: 0, count: Chunk.stride / 8)
        try body(Chunk(bits))
    }

    private static func randomRange(_ random: inout SeededGenerator) -> Range<Int> {
        let start = Int.random(in: 0..<Chunk.pages, using: &random)
        let longest = Bool.random(using: &random) ? 16 : Chunk.pages
        return start..<min(Chunk.pages, start + Int.random(in: 1...longest, using: &random))
    }

    @Test(arguments: UInt64(1)...4) func bitsAndSummariesFollowEveryChange(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var model = Model()
        withChunk { chunk in
            for _ in 0..<600 {
                let range = Self.randomRange(&random)
                let value = Bool.random(using: &random)
                if Int.random(in: 0..<3, using: &random) > 0 {
                    for page in range { model.free[page] = value }
                    if value { chunk.free.set(range) } else { chunk.free.clear(range) }
                } else {
                    for page in range { model.dirty[page] = value }
                    if value { chunk.dirty.set(range) } else { chunk.dirty.clear(range) }
                }
                #expect(chunk.summary() == model.summary)
                let count = Int.random(in: 1...80, using: &random)
                for shortest in [1, count] {
                    #expect(
                        chunk.lastReleasable(shortest: shortest) == model.lastReleasable(shortest: shortest))
                }
                #expect(chunk.firstFree(count) == model.firstFree(count))
                let counted = Self.randomRange(&random)
                #expect(chunk.free.count(in: counted) == model.free[counted].count { $0 })
                #expect(chunk.dirty.count(in: counted) == model.dirty[counted].count { $0 })
                let lastDirty = counted.last { model.dirty[$0] } ?? counted.lowerBound - 1
                #expect(chunk.dirty.last(in: counted) == lastDirty)
                let start = counted.lowerBound
                #expect(
                    chunk.free.first(value, from: start) == model.free[start...].firstIndex(of: value) ?? Chunk.pages)
            }
            for page in 0..<Chunk.pages {
                #expect(chunk.free[page] == model.free[page] && chunk.dirty[page] == model.dirty[page])
            }
        }
    }

    @Test func anEmptyChunkHasNoRun() {
        withChunk { chunk in
            #expect(chunk.summary() == FreeRuns(start: 0, longest: 0, end: 0))
            #expect(chunk.firstFree(1) == nil)
            #expect(chunk.lastReleasable(shortest: 1) == nil)
        }
    }

    @Test func aFreeChunkIsOneRun() {
        withChunk { chunk in
            chunk.free.set(0..<Chunk.pages)
            #expect(chunk.summary() == FreeRuns(start: 512, longest: 512, end: 512))
            #expect(chunk.firstFree(512) == 0)
            #expect(chunk.lastReleasable(shortest: 1) == nil, "clean pages need no release")
        }
    }

    @Test func aMarkOfTheChunkIsNoneOfItsPages() {
        withChunk { chunk in
            #expect(!chunk.isHuge)
            chunk.isHuge = true
            #expect(chunk.isHuge && chunk.summary() == FreeRuns(start: 0, longest: 0, end: 0))
            chunk.free.set(0..<Chunk.pages)
            chunk.dirty.set(0..<Chunk.pages)
            chunk.isHuge = false
            #expect(!chunk.isHuge && chunk.dirty.count(in: 0..<Chunk.pages) == Chunk.pages)
        }
    }
}
