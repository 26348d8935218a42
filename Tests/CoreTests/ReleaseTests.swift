import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// Which pages of an arena go back to the kernel, and what fork does to those on their way.
@Suite struct ReleaseTests {
    @Test func longRunsAreFoundFromAboveAndOneIsReleasedAtATime() throws {
        let window = try ArenaTests.Window(pages: 4 * Chunk.pages)
        _ = try #require(window.allocate(2 * Chunk.pages))
        for run in [10..<50, 100..<103, 200..<240, 600..<601, 700..<800] { window.arena.free(run) }
        let first = try #require(window.beginRelease(most: 1000, shortest: 32))
        #expect(first == 700..<800)
        #expect(window.arena.isReleasing)
        #expect(window.beginRelease(most: 1000, shortest: 1) == nil, "one at a time")
        window.arena.finishRelease(first, released: true)
        let second = try #require(window.beginRelease(most: 30, shortest: 32, below: first.lowerBound))
        #expect(second == 210..<240, "the upper end of a run of 40")
        window.arena.finishRelease(second, released: true)
        let third = try #require(window.beginRelease(most: 30, shortest: 32, below: second.lowerBound))
        #expect(third == 20..<50, "10 pages are no long run")
        window.arena.finishRelease(third, released: true)
        #expect(window.beginRelease(most: 1000, shortest: 32) == nil)
        let short = try #require(window.beginRelease(most: 1000))
        #expect(short == 600..<601)
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
        let pages = try #require(window.beginRelease(most: 1000))
        #expect(window.arena.releaser == percolate_thread_number() && window.arena.inUse == pages.count)
        window.arena.abandonRelease()
        #expect(window.arena.releaser == 0 && !window.arena.isReleasing && window.arena.inUse == 0)
        let again = try #require(window.beginRelease(most: 1000))
        #expect(again == pages, "they may be resident still")
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
