import CPercolate
import Testing

@testable import PercolateCoreHosted

/// The rule of the size classes, for every class and every size.
@Suite struct SizeClassTests {
    private static let classes = (1..<SizeClass.count).map { SizeClass(number: $0) }
    private static let pageSize = 1 << Int(PERCOLATE_PAGE_SHIFT)

    /// The smallest block that holds `size` bytes.
    private static func block(for size: Int) throws -> Int {
        Int(try #require(classes.first { Int($0.size) >= size }).size)
    }

    @Test func sizesGrowFromEightBytesToTheLargest() {
        let sizes = Self.classes.map { Int($0.size) }
        #expect(sizes.first == 8 && sizes.last == SizeClass.largest)
        #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $0 < $1 })
        #expect(Set(sizes).isSuperset(of: [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768]))
    }

    @Test func anythingBeyondEightBytesIsAlignedToSixteen() {
        #expect(Self.classes.dropFirst().allSatisfy { $0.size % 16 == 0 })
    }

    @Test func atMostAnEighthIsWastedBeyond128Bytes() throws {
        for size in 129...SizeClass.largest {
            let block = try Self.block(for: size)
            #expect((block - size) * 8 <= block, "\(size) bytes in a block of \(block)")
        }
    }

    @Test func atMostFifteenBytesAreWastedUpTo128() throws {
        for size in 1...128 { #expect(try Self.block(for: size) - size < 16) }
        #expect(try Self.block(for: 1) == 8)
        #expect(try Self.block(for: 9) == 16)
    }

    @Test(arguments: 8...14) func aSwiftArrayOfAPowerOfTwoTakesTheNextClass(power: Int) throws {
        let header = 32
        let block = try Self.block(for: 1 << power + header)
        let next = Int(try #require(Self.classes.first { $0.size > 1 << power }).size)
        #expect(block == next, "not a class further")
        #expect((block - (1 << power + header)) * 8 <= block)
    }

    @Test func theInverseDividesEveryOffsetOfASpanExactly() {
        for info in Self.classes {
            let size = Int(info.size)
            for offset in 0..<(Int(info.spanPages) * Self.pageSize) {
                let (index, rest) = offset.quotientAndRemainder(dividingBy: size)
                let expected = rest == 0 && index < Int(info.spanBlocks) ? index : nil
                if info.block(at: UInt(offset)) != expected {
                    Issue.record(
                        "offset \(offset) of blocks of \(size) bytes: \(String(describing: info.block(at: UInt(offset))))"
                    )
                }
            }
        }
    }

    @Test func spansWasteLittleAndAreWorthTheirRecord() {
        for info in Self.classes {
            let size = Int(info.size)
            let bytes = Int(info.spanPages) * Self.pageSize
            let blocks = Int(info.spanBlocks)
            #expect(blocks <= Span.maxBlocks)
            #expect(blocks * size <= bytes)
            #expect((bytes - blocks * size) * 16 <= bytes, "blocks of \(size) bytes")
            #expect(blocks >= (size <= 1024 ? 1 : size <= 8192 ? 8 : 4), "blocks of \(size) bytes")
            #expect(bytes <= 1 << 18, "a span does not take more than a little of a chunk")
        }
    }

    @Test func batchesFitTheMoveVector() {
        for info in Self.classes {
            #expect((1...MoveVector.limit).contains(Int(info.batch)))
            #expect(info.maxCapacity >= 4 && Int(info.maxCapacity) < Slab.words)
            #expect(info.batch <= info.maxCapacity)
        }
    }
}

/// The tables that start-up writes say the same as the rule.
@Suite struct SizeClassTableTests {
    @Test func everySizeFindsTheSmallestClassThatHoldsIt() throws {
        try TestHeap.run {
            for size in 0...SizeClass.largest {
                let number = sizeClass(ofSize: size)
                if !(1..<SizeClass.count).contains(number) || SizeClass.size(ofClass: number) < size
                    || (number > 1 && SizeClass.size(ofClass: number - 1) >= size)
                {
                    Issue.record("size \(size): class \(number)")
                }
            }
        }
    }

    @Test func anAlignedRequestFindsTheSmallestAlignedClass() throws {
        try TestHeap.run {
            for power in 0...Int(PERCOLATE_PAGE_SHIFT) {
                let alignment = 1 << power
                for size in stride(from: 0, through: SizeClass.largest, by: 13) {
                    let expected = (1..<SizeClass.count).first {
                        SizeClass.size(ofClass: $0) >= max(size, 1) && SizeClass.size(ofClass: $0) % alignment == 0
                    }
                    if sizeClass(ofSize: size, alignment: alignment) != expected {
                        Issue.record("\(size) bytes at multiples of \(alignment)")
                    }
                }
            }
        }
    }

    @Test func aSizeBeyondTheLargestHasNoClass() throws {
        try TestHeap.run {
            #expect(sizeClass(ofSize: SizeClass.largest + 1, alignment: 16) == nil)
        }
    }
}
