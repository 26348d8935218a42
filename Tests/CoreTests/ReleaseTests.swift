import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// Which pages of an arena go back to the kernel, and what fork does to those on their way.
@Suite struct ReleaseTests {
    @Test func longRunsAreFoundFromAboveAndOneBatchIsReleasedAtATime() throws {
        let window = try ArenaTests.Window(pages: 4 * Chunk.pages)
        _ = try #require(window.allocate(2 * Chunk.pages))
        for run in [10..<50, 100..<103, 200..<240, 600..<601, 700..<800] { window.arena.free(run) }
        #expect(window.beginRelease(most: 130, shortest: 32) == [700..<800, 210..<240], "the upper end of a run of 40")
        #expect(window.beginRelease(most: 1000, shortest: 1) == [], "one batch at a time")
        window.finishRelease(released: true)
        #expect(window.beginRelease(most: 30, shortest: 32) == [20..<50], "10 pages are no long run")
        window.finishRelease(released: true)
        #expect(window.beginRelease(most: 1000, shortest: 32) == [])
        #expect(window.beginRelease(most: 1000) == [600..<601, 200..<210, 100..<103, 10..<20])
    }

    @Test func neighbouringChunksAreOneRun() throws {
        let window = try ArenaTests.Window(pages: 8 * Chunk.pages)
        _ = try #require(window.allocate(6 * Chunk.pages))
        window.arena.free(100..<(5 * Chunk.pages))
        #expect(window.beginRelease(most: 100_000) == [100..<(5 * Chunk.pages)])
    }

    @Test func aHugePageIsTakenApartOnlyWhereMostOfItIsFree() throws {
        let window = try ArenaTests.Window(pages: 4 * Chunk.pages)
        window.arena.hugePages.isOn = true
        let block = try #require(window.allocate(4 * Chunk.pages)).first
        let whole = block..<(block + 4 * Chunk.pages)
        #expect(window.arena.hugePages(forBlock: whole, of: whole.count) == 0..<(4 * Chunk.pages))
        window.arena.free(0..<Chunk.breakingPoint)
        #expect(window.beginRelease(most: 1000) == [], "half of the chunk is in use")
        window.arena.free(Chunk.breakingPoint..<(Chunk.breakingPoint + 1))
        #expect(window.beginRelease(most: 1000) == [0..<(Chunk.breakingPoint + 1)])
        #expect(window.arena.releasing.wasHuge(0))
        window.finishRelease(released: true)
        window.arena.free(300..<310)
        #expect(window.beginRelease(most: 1000) == [300..<310], "the chunk has no huge page now")
        #expect(!window.arena.releasing.wasHuge(0))
    }

    @Test func releasesDoNotMakeAnIdleProgramLookBusy() throws {
        let window = try ArenaTests.Window(pages: 32 * Chunk.pages)
        window.arena.retention.isScavenged = true
        // A busy time, whose released pages are wanted back at once, has taught patience.
        for _ in 0..<8 {
            let block = try #require(window.allocate(4000)).first
            window.arena.free(block..<(block + 4000))
            try window.tick()
            _ = try #require(window.allocate(1))
            try window.tick()
        }
        let block = try #require(window.allocate(10_000)).first
        window.arena.free(block..<(block + 5000))
        for _ in 0..<2 { try window.tick() }
        window.arena.free((block + 5000)..<(block + 10_000))
        try window.tick()
        #expect(
            window.arena.retention.resident > 4000, "what came free since the last tick stays, the rest was released")
        try window.tick()
        #expect(window.arena.retention.resident <= 64)
    }

    @Test func whatALostThreadWasReleasingIsFree() throws {
        let window = try ArenaTests.Window(pages: 4 * Chunk.pages)
        _ = try #require(window.allocate(500))
        window.arena.free(0..<500)
        #expect(window.beginRelease(most: 1000) == [0..<500])
        #expect(window.arena.releaser == percolate_thread_number() && window.arena.tree.find(500) != 0)
        window.arena.abandonRelease()
        #expect(window.arena.releaser == 0 && window.arena.inUse == 0)
        #expect(window.beginRelease(most: 1000) == [0..<500], "they may be resident still")
    }

    @Test func runsOfFreeChunksAreWholeChunks() throws {
        let window = try ArenaTests.Window(pages: 8 * Chunk.pages)
        _ = try #require(window.allocate(8 * Chunk.pages))
        window.arena.free(Chunk.pages..<(3 * Chunk.pages + 5))
        window.arena.free((5 * Chunk.pages + 1)..<(8 * Chunk.pages))
        var runs: [Range<Int>] = []
        window.arena.forEachRunOfFreeChunks { runs.append($0) }
        #expect(runs == [Chunk.pages..<(3 * Chunk.pages), (6 * Chunk.pages)..<(8 * Chunk.pages)])
    }
}
