import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

extension HostedHeap {
    /// Regions of the tests' own. How far a region is used is one word of the process, so these run beside no other user of it.
    @Suite struct EmergencyRegionTests {
        private final class Fixture: Sendable {
            let region: EmergencyRegion
            private let bytes: Int
            nonisolated(unsafe) private let memory: UnsafeMutableRawPointer

            init() {
                bytes = EmergencyRegion.pages << Int(PERCOLATE_PAGE_SHIFT)
                memory = .allocate(byteCount: bytes, alignment: 4096)
                var region = EmergencyRegion()
                region.place(at: UInt(bitPattern: memory))
                self.region = region
            }

            deinit { memory.deallocate() }

            var range: Range<UInt> { region.address..<(region.address + UInt(bytes)) }
        }

        init() throws { try HostedHeap.start() }

        @Test func blocksAreAlignedApartAndInside() {
            let fixture = Fixture()
            var blocks: [(start: UInt, size: Int)] = []
            for (size, alignment) in [(1, 1), (100, 16), (0, 16), (33, 64), (4096, 4096), (17, 512), (8, 16)] {
                let block = fixture.region.allocate(size, alignment: alignment)
                #expect(block != 0 && block % UInt(max(alignment, 16)) == 0)
                #expect(fixture.region.contains(block) && fixture.range.contains(block + UInt(size)))
                #expect(fixture.region.usableSize(block) == size)
                if let last = blocks.last {
                    #expect(block >= last.start + UInt(last.size) + 16, "room for the size in front")
                }
                fill(block, size)
                blocks.append((block, size))
            }
            for block in blocks {
                #expect(fixture.region.usableSize(block.start) == block.size, "nobody wrote over it")
            }
            for block in blocks { fixture.region.free(block.start) }
        }

        @Test func aFullRegionSaysSoAndIsEmptyAfterTheLastFree() {
            let fixture = Fixture()
            let first = fixture.region.allocate(1000, alignment: 16)
            var blocks: [UInt] = []
            while case let block = fixture.region.allocate(1000, alignment: 16), block != 0 { blocks.append(block) }
            #expect(blocks.count > 200)
            for block in blocks { fixture.region.free(block) }
            #expect(fixture.region.allocate(1000, alignment: 16) == 0, "one block keeps the region")
            fixture.region.free(first)
            #expect(fixture.region.allocate(1000, alignment: 16) == first)
            fixture.region.free(first)
        }

        @Test func whatNeverFitsIsRefused() {
            let fixture = Fixture()
            let size = fixture.range.count
            #expect(fixture.region.allocate(size, alignment: 16) == 0)
            #expect(fixture.region.allocate(.max, alignment: 16) == 0)
            #expect(fixture.region.allocate(16, alignment: 1 << 46) == 0)
            #expect(EmergencyRegion().allocate(16, alignment: 16) == 0, "a region that was not placed")
        }

        @Test func addressesOutsideAreNotItsOwn() {
            let fixture = Fixture()
            #expect(!fixture.region.contains(fixture.range.lowerBound - 1))
            #expect(fixture.region.contains(fixture.range.lowerBound))
            #expect(fixture.region.contains(fixture.range.upperBound - 1))
            #expect(!fixture.region.contains(fixture.range.upperBound))
        }

        @Test func threadsGetDifferentBlocks() {
            let fixture = Fixture()
            HostedHeap.onThreads(8) { thread in
                for turn in 0..<2000 {
                    let block = fixture.region.allocate(64, alignment: 16)
                    guard block != 0 else { continue }
                    let words: UnsafeMutablePointer<UInt64> = pointer(block)
                    let mark = UInt64(thread * 10_000 + turn)
                    words.update(repeating: mark, count: 8)
                    if !(0..<8).allSatisfy({ words[$0] == mark }) { Issue.record("a block of two threads") }
                    fixture.region.free(block)
                }
            }
            let block = fixture.region.allocate(1, alignment: 16)
            #expect(block == fixture.region.address + 16, "all blocks came back")
            fixture.region.free(block)
        }

        @Test func aFreeTooManyIsReported() async {
            let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
                let fixture = Fixture()
                let block = fixture.region.allocate(24, alignment: 16)
                fixture.region.free(block)
                fixture.region.free(block)
            }
            #expect(report(result).contains("percolate: double free: 0x"), "\(report(result))")
        }
    }
}

/// Writes a pattern to `count` bytes at `address`.
private func fill(_ address: UInt, _ count: Int) {
    UnsafeMutableRawPointer(bitPattern: address)?.initializeMemory(as: UInt8.self, repeating: 0xa5, count: count)
}
