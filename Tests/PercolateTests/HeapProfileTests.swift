import Foundation
import Glibc
import Percolate
import Testing

/// The heap profile of this process, which is that of the core inside the test's program.
@Suite(.serialized) struct HeapProfileTests {
    @inline(never) private static func keep(_ count: Int, byteCount: Int) throws -> [UnsafeMutableRawPointer] {
        try (0..<count).map { _ in try ProcessHeap.allocate(byteCount: byteCount) }
    }

    private static func free(_ blocks: [UnsafeMutableRawPointer], byteCount: Int) {
        for block in blocks { ProcessHeap.deallocate(block, byteCount: byteCount) }
    }

    @Test func everyBlockIsInTheProfileWhereAllAreSampled() throws {
        try HeapProfile.start(meanByteCount: 1)
        let blocks = try Self.keep(50, byteCount: 1234)
        HeapProfile.stop()
        let unsampled = try Self.keep(50, byteCount: 1234)
        let profile = HeapProfile.snapshot()
        let own = profile.samples.filter { $0.byteCount == 1234 }
        #expect(Set(own.map(\.address)) == Set(blocks.map { UInt(bitPattern: $0) }))
        #expect(own.allSatisfy { $0.blocks == 1 && $0.thread > 0 && !$0.threadName.isEmpty })
        #expect(Set(own.map(\.thread)).count == 1)
        let now = monotonicTime()
        #expect(own.allSatisfy { $0.time <= now && now - $0.time < 60_000_000_000 })
        let sites = Set(own.map(\.site))
        let live = sites.map { profile.sites[$0] }
        #expect(live.reduce(0) { $0 + $1.liveSamples } == 50 && live.reduce(0) { $0 + $1.liveBytes } == 50 * 1234)
        #expect(live.allSatisfy { $0.frames.count > 3 && !$0.frames.contains(0) })
        Self.free(blocks + unsampled, byteCount: 1234)
        let after = HeapProfile.snapshot()
        #expect(!after.samples.contains { $0.byteCount == 1234 })
        for site in sites {
            #expect(after.sites[site].liveBlocks == 0)
            #expect(after.sites[site].totalBlocks == profile.sites[site].totalBlocks)
        }
    }

    /// A thread may name itself long after its first samples.
    @Test func aNewNameOfAThreadIsSeenWithinSixteenSamples() async throws {
        try HeapProfile.start(meanByteCount: 1)
        let blocks = try await withCheckedThrowingContinuation { continuation in
            Thread {
                continuation.resume(
                    with: Result {
                        let early = try Self.keep(40, byteCount: 2234)
                        Thread.current.name = "late"
                        return (early + (try Self.keep(16, byteCount: 2234))).map(UInt.init(bitPattern:))
                    })
            }.start()
        }
        HeapProfile.stop()
        let samples = HeapProfile.snapshot().samples.filter { $0.byteCount == 2234 }
        let names = Dictionary(samples.map { ($0.address, $0.threadName) }, uniquingKeysWith: { $1 })
        for block in blocks {
            UnsafeMutableRawPointer(bitPattern: block).map {
                ProcessHeap.deallocate($0, byteCount: 2234)
            }
        }
        #expect(names.count == 56)
        #expect(blocks.last.flatMap { names[$0] } == "late")
        #expect(blocks.first.flatMap { names[$0] } != "late")
    }

    @Test func theMeanSaysHowManyBlocksAreSampled() throws {
        try HeapProfile.start(meanByteCount: 1000)
        #expect(HeapProfile.snapshot().meanByteCount == 1000)
        let before = HeapProfile.snapshot().sites.reduce(0) { $0 + $1.totalBytes }
        let blocks = try Self.keep(4000, byteCount: 1000)
        let total = HeapProfile.snapshot().sites.reduce(0) { $0 + $1.totalBytes } - before
        HeapProfile.stop()
        Self.free(blocks, byteCount: 1000)
        // One standard deviation is 4000 * sqrt(0.58 / 4000) blocks, 1.2 in a hundred.
        #expect(abs(total / 4_000_000 - 1) < 0.08)
        #expect(HeapProfile.snapshot().meanByteCount == 0)
    }

    @Test(arguments: [0, -1, Int.min]) func aMeanBelowOneIsRefused(mean: Int) {
        #expect(throws: HeapProfile.StartError.invalidMean(mean)) { try HeapProfile.start(meanByteCount: mean) }
    }

    private func monotonicTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
