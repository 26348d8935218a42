import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// The region of a heap, which nothing uses outside signal handlers and start-up.
@Suite struct EmergencyRegionTests {
    private static var range: Range<UInt> {
        EmergencyRegion.address..<(EmergencyRegion.address + EmergencyRegion.size)
    }

    @Test func blocksAreAlignedApartAndInside() throws {
        try TestHeap.run {
            var blocks: [(start: UInt, size: Int)] = []
            for (size, alignment) in [(1, 1), (100, 16), (0, 16), (33, 64), (4096, 4096), (17, 512), (8, 16)] {
                let block = EmergencyRegion.allocate(size, alignment: alignment)
                #expect(block != 0 && block % UInt(max(alignment, 16)) == 0)
                #expect(EmergencyRegion.contains(block) && Self.range.contains(block + UInt(size)))
                #expect(EmergencyRegion.usableSize(block) == size)
                if let last = blocks.last {
                    #expect(block >= last.start + UInt(last.size) + 16, "room for the size in front")
                }
                fill(block, size)
                blocks.append((block, size))
            }
            for block in blocks {
                #expect(EmergencyRegion.usableSize(block.start) == block.size, "nobody wrote over it")
            }
            for block in blocks { EmergencyRegion.free(block.start) }
        }
    }

    @Test func aFullRegionSaysSoAndIsEmptyAfterTheLastFree() throws {
        try TestHeap.run {
            let first = EmergencyRegion.allocate(1000, alignment: 16)
            var blocks: [UInt] = []
            while case let block = EmergencyRegion.allocate(1000, alignment: 16), block != 0 { blocks.append(block) }
            #expect(blocks.count > 200)
            for block in blocks { EmergencyRegion.free(block) }
            #expect(EmergencyRegion.allocate(1000, alignment: 16) == 0, "one block keeps the region")
            EmergencyRegion.free(first)
            #expect(EmergencyRegion.allocate(1000, alignment: 16) == first)
            EmergencyRegion.free(first)
        }
    }

    @Test func whatNeverFitsIsRefused() throws {
        try TestHeap.run {
            let size = Self.range.count
            #expect(EmergencyRegion.allocate(size, alignment: 16) == 0)
            #expect(EmergencyRegion.allocate(.max, alignment: 16) == 0)
            #expect(EmergencyRegion.allocate(16, alignment: 1 << 46) == 0)
        }
    }

    @Test func addressesOutsideAreNotItsOwn() throws {
        try TestHeap.run {
            #expect(!EmergencyRegion.contains(Self.range.lowerBound - 1))
            #expect(EmergencyRegion.contains(Self.range.lowerBound))
            #expect(EmergencyRegion.contains(Self.range.upperBound - 1))
            #expect(!EmergencyRegion.contains(Self.range.upperBound))
        }
    }

    @Test func threadsGetDifferentBlocks() throws {
        try TestHeap.run {
            TestHeap.onThreads(8) { thread in
                for turn in 0..<2000 {
                    let block = EmergencyRegion.allocate(64, alignment: 16)
                    guard block != 0 else { continue }
                    let words: UnsafeMutablePointer<UInt64> = pointer(block)
                    let mark = UInt64(thread * 10_000 + turn)
                    words.update(repeating: mark, count: 8)
                    if !(0..<8).allSatisfy({ words[$0] == mark }) { Issue.record("a block of two threads") }
                    EmergencyRegion.free(block)
                }
            }
            let block = EmergencyRegion.allocate(1, alignment: 16)
            #expect(block == Self.range.lowerBound + 16, "all blocks came back")
            EmergencyRegion.free(block)
        }
    }

    @Test func aFreeTooManyIsReported() async {
        let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
            let block = EmergencyRegion.allocate(24, alignment: 16)
            EmergencyRegion.free(block)
            EmergencyRegion.free(block)
        }
        #expect(report(result).contains("percolate: double free: 0x"), "\(report(result))")
    }
}

/// Writes a pattern to `count` bytes at `address`.
private func fill(_ address: UInt, _ count: Int) {
    UnsafeMutableRawPointer(bitPattern: address)?.initializeMemory(as: UInt8.self, repeating: 0xa5, count: count)
}
