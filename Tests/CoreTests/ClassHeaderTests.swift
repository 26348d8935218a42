import CPercolate
import Testing

@testable import PercolateCoreHosted

/// A header in Swift is the header that the assembly reads.
@Suite struct ClassHeaderTests {
    @Test func aHeaderSurvivesItsWord() {
        for (begin, current, end) in [
            (0, 0, 0), (83, 83, 91), (83, 90, 91), (0x8000, 0xc000, 0xffff), (0xffff, 0xffff, 0xffff),
        ] {
            let header = ClassHeader(
                word: ClassHeader(current: current, begin: begin, end: end, countdown: 0x8001).word)
            #expect(header.current == current && header.begin == begin && header.end == end)
            #expect(header.countdown == 0x8001)
            #expect(header.count == current - begin && header.room == end - current && header.capacity == end - begin)
        }
    }

    @Test func theWordLiesAsTheStructOfTheSectionsDoes() {
        let word = ClassHeader(current: 0x1122, begin: 0x3344, end: 0x5566, countdown: 0x7788).word
        let asStruct = withUnsafeBytes(of: word) { $0.loadUnaligned(as: percolate_class_header.self) }
        #expect(asStruct.current == 0x1122 && asStruct.begin == 0x3344 && asStruct.end == 0x5566)
        #expect(asStruct.countdown == 0x7788)
        #expect(MemoryLayout<percolate_class_header>.size == 8)
    }

    @Test func zeroIsBothEmptyAndFull() {
        let closed = ClassHeader(word: 0)
        #expect(closed.count == 0 && closed.room == 0 && closed.capacity == 0)
    }
}

/// The words of a slab, divided into regions.
@Suite struct SlabRegionsTests {
    /// A slab in memory of its own.
    private final class Fixture {
        var regions = SlabRegions()
        var memory: Reservation
        let slab: Slab
        private let reserved: ReservedMemory

        init() throws {
            reserved = try #require(ReservedMemory(size: Slab.size))
            slab = Slab(address: UInt64(reserved.address))
            memory = Reservation(address: reserved.address, size: Slab.size)
            let committed = memory.commit(UInt(Slab.firstWord) * 8, step: 4096)
            try #require(committed)
            regions.clear()
        }

        func allocate(_ capacity: Int) -> Int? {
            regions.allocate(power: SlabRegions.power(capacity), in: slab, memory: &memory)
        }

        func give(_ position: Int, _ capacity: Int) {
            regions.give(position, power: SlabRegions.power(capacity), in: slab)
        }
    }

    @Test(arguments: UInt64(1)...3) func regionsNeverOverlap(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try Fixture()
        var owned: [(region: Int, capacity: Int, mark: UInt64)] = []
        for mark in 1...UInt64(3000) {
            if Int.random(in: 0..<5, using: &random) < 3 {
                let capacity = Int.random(in: 1...(1 << Int.random(in: 0...10, using: &random)), using: &random)
                guard let region = fixture.allocate(capacity) else { continue }
                #expect(region >= Slab.firstWord && region + capacity <= Slab.words)
                (fixture.slab.words + region).update(repeating: mark, count: capacity)
                owned.append((region, capacity, mark))
            } else if !owned.isEmpty {
                let one = owned.remove(at: Int.random(in: 0..<owned.count, using: &random))
                #expect((0..<one.capacity).allSatisfy { fixture.slab.words[one.region + $0] == one.mark })
                fixture.give(one.region, one.capacity)
            }
        }
        for one in owned { #expect((0..<one.capacity).allSatisfy { fixture.slab.words[one.region + $0] == one.mark }) }
    }

    @Test func aRegionGivenBackIsUsedAgain() throws {
        let fixture = try Fixture()
        let first = try #require(fixture.allocate(16))
        #expect(first == Slab.firstWord)
        fixture.give(first, 16)
        #expect(fixture.allocate(9) == first, "the same power of two")
        #expect(fixture.allocate(9) != first)
    }

    @Test func aFullSlabSaysSo() throws {
        let fixture = try Fixture()
        var count = 0
        while fixture.allocate(1024) != nil { count += 1 }
        #expect(count == (Slab.words - Slab.firstWord) / 1024)
        #expect(fixture.allocate(8) != nil, "smaller regions still fit behind")
    }

    @Test func aRegionIsTheLeastPowerOfTwoThatHoldsIt() {
        for (capacity, power) in [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1023, 10), (1024, 10)] {
            #expect(SlabRegions.power(capacity) == power)
        }
    }

    /// The fields of a slab that positions are counted in fit the header's 16 bits.
    @Test func everyPositionFitsTheHeader() {
        #expect(Slab.words <= 0xffff)
        #expect(Slab.firstWord == Int(PERCOLATE_SLAB_HEADERS) / 8 + SizeClass.count)
    }
}
