import Percolate
import Testing

@Suite(.serialized) struct HeapArenaTests {
    /// Notes its end.
    private struct Token: ~Copyable {
        nonisolated(unsafe) static var ended: [Int] = []
        var number: Int
        init(_ number: Int) { self.number = number }
        deinit { Self.ended.append(number) }
    }

    private struct Failure: Error {}

    private func isAligned<Element>(_ pointer: UnsafePointer<Element>?) -> Bool {
        Int(bitPattern: pointer) % MemoryLayout<Element>.alignment == 0
    }

    @Test func valuesEndWithTheArenaTheLastFirst() throws {
        Token.ended = []
        do {
            let arena = try HeapArena()
            var first = try arena.make(Token(1))
            first.value.number += 10
            var elements: MutableSpan<Token> = try arena.allocate(count: 2) { output in
                output.append(Token(2))
                output.append(Token(3))
            }
            elements[1].number = 30
            let text = try arena.make("a string that is too long to be without a block")
            #expect(text.value.count == 47 && first.value.number == 11)
            #expect(Token.ended == [])
        }
        #expect(Token.ended == [2, 30, 11])
    }

    @Test func whatABodyMadeBeforeItThrewEndsAtOnce() throws {
        Token.ended = []
        let arena = try HeapArena()
        do throws(HeapInitializationError<Failure>) {
            let elements = try arena.allocate(count: 2) {
                (output: inout OutputSpan<Token>) throws(Failure) in
                output.append(Token(1))
                throw Failure()
            }
            Issue.record("\(elements.count) elements")
        } catch {
            #expect(Token.ended == [1])
        }
        #expect(throws: AllocationError.negativeCount(-1)) {
            let span = try arena.allocate(repeating: 0, count: -1)
            Issue.record("\(span.count) elements")
        }
    }

    @Test func spansAreApartAlignedAndKeepWhatIsWritten() throws {
        let arena = try HeapArena(byteCount: 256)
        var bytes = try arena.allocate(repeating: UInt8(1), count: 3)
        var words = try arena.allocate(repeating: 2, count: 1000)
        var vectors = try arena.allocate(repeating: SIMD8<Double>(repeating: 3), count: 5)
        let copy = try arena.copy(words.span)
        for index in bytes.indices { bytes[index] = 9 }
        for index in words.indices { words[index] = index }
        vectors[4] = SIMD8(repeating: 8)
        vectors.withUnsafeBufferPointer { #expect(isAligned($0.baseAddress)) }
        #expect(
            bytes[2] == 9 && words[999] == 999 && words[0] == 0 && vectors[3][7] == 3
                && copy[999] == 2)
        #expect(arena.usedByteCount >= 3 + 2 * 8000 + 320)
        let nothing = try arena.allocate(repeating: 1, count: 0)
        #expect(nothing.count == 0)
    }

    @Test func anArenaIsUsedAgainWithoutNewMemory() throws {
        guard !ProcessHeap.servesMalloc else { return }
        var arena = try HeapArena(byteCount: 256)
        func serve(_ arena: borrowing HeapArena) throws {
            for size in 0..<200 {
                let span = try arena.allocate(repeating: UInt8(7), count: size)
                #expect(span.count == size)
            }
        }
        for _ in 0..<4 {
            try serve(arena)
            arena.reset()
            #expect(arena.usedByteCount == 0)
        }
        let counts = try ProcessHeap.countAllocations {
            try serve(arena)
            arena.reset()
        }
        #expect(counts == AllocationCounts())
    }

    @Test func nothingIsLeftOfAnArena() throws {
        guard !ProcessHeap.servesMalloc else { return }
        let counts = try ProcessHeap.countAllocations {
            let arena = try HeapArena()
            for number in 0..<1000 {
                let value = try arena.make(try HeapValue(number))
                #expect(value.value.value == number)
            }
            let large = try arena.allocate(repeating: 1, count: 1 << 20)
            #expect(large.count == 1 << 20)
        }
        #expect(counts.allocations > 1000 && counts.leakedBlocks == 0 && counts.leakedBytes == 0)
        #expect(throws: AllocationError.self) {
            let arena = try HeapArena()
            let span = try arena.allocate(repeating: 1, count: .max / 8 - 1000)
            Issue.record("\(span.count) elements")
        }
    }

    @Test func rawBytesAreAlignedAndRefusedAsBlocksAre() throws {
        let arena = try HeapArena()
        for alignment in [1, 8, 64, 4096] {
            let bytes = try arena.allocateBytes(100, alignment: alignment)
            #expect(bytes.count == 100 && Int(bitPattern: bytes.baseAddress) % alignment == 0)
            bytes.initializeMemory(as: UInt8.self, repeating: 0xff)
        }
        #expect(throws: AllocationError.invalidAlignment(3)) {
            try arena.allocateBytes(1, alignment: 3)
        }
        #expect(throws: AllocationError.negativeCount(-1)) { try arena.allocateBytes(-1) }
        #expect(throws: AllocationError.self) { try arena.allocateBytes(.max) }
        #expect(throws: AllocationError.self) { try arena.allocateBytes(8, alignment: 1 << 62) }
    }
}
