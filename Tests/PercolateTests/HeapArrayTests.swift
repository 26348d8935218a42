import Percolate
import Testing

/// Owners of many values, whichever heap serves them: the suite also runs under the preloaded
/// shared object.
@Suite(.serialized) struct HeapArrayTests {
    /// Counts the values that are alive, and knows which it is.
    private struct Token: ~Copyable {
        nonisolated(unsafe) static var alive = 0
        let number: Int
        init(_ number: Int) {
            self.number = number
            Self.alive += 1
        }
        deinit { Self.alive -= 1 }
    }

    private struct Failure: Error, Equatable {}

    @Test func anArrayGrowsAndGivesItsElementsBackInOrder() throws {
        do {
            var array = HeapArray<Token>()
            #expect(array.isEmpty && array.capacity == 0)
            for number in 0..<5000 { try array.append(Token(number)) }
            #expect(array.count == 5000 && Token.alive == 5000)
            #expect(array.indices.allSatisfy { array[$0].number == $0 })
            var last = 0
            if let token = array.popLast() { last = token.number }
            let removed = (array.removeLast().number, array.remove(at: 0).number)
            #expect(last == 4999 && removed == (4998, 0))
            try array.insert(Token(-1), at: 0)
            try array.insert(Token(-2), at: array.count)
            array.swapAt(0, array.count - 1)
            array.swapAt(1, 1)
            #expect(
                array[0].number == -2 && array[array.count - 1].number == -1 && array[1].number == 1
            )
            #expect(array.count == 4999 && Token.alive == 4999)
        }
        #expect(Token.alive == 0)
    }

    /// Such values cannot be moved as bytes: their block is replaced one value after the other.
    @Test func weakReferencesSurviveGrowth() throws {
        final class Object {}
        struct Weak { weak var object: Object? }
        let objects = (0..<100).map { _ in Object() }
        var array = HeapArray<Weak>()
        for object in objects { try array.append(Weak(object: object)) }
        #expect(array.count == 100 && array.indices.allSatisfy { array[$0].object === objects[$0] })
    }

    @Test(arguments: [1, 3, 7, 100, 1000, 5000, 40_000, 1 << 20])
    func theCapacityIsAllThatTheBlockHasAndGoesBack(capacity: Int) throws {
        var array = try HeapArray<(UInt8, UInt8, UInt8)>(capacity: capacity)
        #expect(array.capacity >= capacity && array.freeCapacity == array.capacity)
        let whole = array.capacity
        let block = array.withUnsafeMutableBufferPointer { $0.baseAddress }
        for number in 0..<whole { try array.append((UInt8(truncatingIfNeeded: number), 1, 2)) }
        #expect(array.capacity == whole && array.freeCapacity == 0)
        #expect(array.withUnsafeMutableBufferPointer { $0.baseAddress } == block, "it did not move")
        #expect(
            array.indices.allSatisfy {
                array[$0].0 == UInt8(truncatingIfNeeded: $0) && array[$0].2 == 2
            })
        try array.reserveCapacity(4 * whole)
        #expect(array.capacity >= 4 * whole && array.count == whole)
        try array.trimCapacity()
        #expect(array.capacity < 2 * whole && array.count == whole && array[whole - 1].1 == 1)
        array.removeAll(keepingCapacity: true)
        #expect(array.isEmpty && array.capacity >= whole)
        try array.trimCapacity()
        #expect(array.capacity == 0)
    }

    @Test func nothingIsLeftOfAnArray() throws {
        guard !ProcessHeap.servesMalloc else { return }
        let counts = try ProcessHeap.countAllocations {
            for count in [0, 1, 10, 1000, 100_000] {
                var array = try HeapArray<Int>(repeating: 7, count: count)
                try array.append(copying: 0..<count)
                let buffer = try HeapBuffer(array)
                #expect(buffer.count == 2 * count)
                var again = HeapArray(buffer)
                try again.append(1)
                again.drain { _ in }
            }
        }
        #expect(counts.allocations > 0 && counts.leakedBlocks == 0 && counts.leakedBytes == 0)
    }

    @Test func initializationIsInPlaceAndMayThrow() throws {
        do {
            let buffer = try HeapBuffer<Token>(count: 3) { output in
                for number in 0..<3 { output.append(Token(number)) }
            }
            #expect(buffer.count == 3 && buffer[2].number == 2)
            let made = try HeapBuffer<Token>(count: 2) { index throws(Failure) in Token(index) }
            #expect(made[1].number == 1)
            var array = try HeapArray<Token>(capacity: 10) { output in output.append(Token(7)) }
            #expect(array.count == 1 && array.capacity >= 10)
            try array.append(addingCapacity: 5) { output in
                for number in 0..<4 { output.append(Token(number)) }
            }
            #expect(array.count == 5 && array[4].number == 3)
            let value = try HeapValue<Token>(initializingWith: { $0.append(Token(9)) })
            #expect(value.value.number == 9)
            #expect(Token.alive == 3 + 2 + 5 + 1)

            // What was made before a body throws ends, but stays in an array that was there before.
            #expect(throws: HeapInitializationError<Failure>.initializer(Failure())) {
                _ = try HeapBuffer<Token>(count: 3) { index throws(Failure) in
                    if index == 2 { throw Failure() }
                    return Token(index)
                }
            }
            #expect(throws: HeapInitializationError<Failure>.initializer(Failure())) {
                _ = try HeapValue<Token>(initializingWith: { _ throws(Failure) in throw Failure() })
            }
            do throws(HeapInitializationError<Failure>) {
                try array.append(addingCapacity: 2) { output throws(Failure) in
                    output.append(Token(4))
                    throw Failure()
                }
                Issue.record("nothing was thrown")
            } catch {
                #expect(error == .initializer(Failure()) && array.count == 6)
            }
            #expect(Token.alive == 3 + 2 + 6 + 1)
        }
        #expect(Token.alive == 0)
    }

    @Test func whatCannotExistIsRefused() throws {
        #expect(throws: AllocationError.negativeCount(-1)) { _ = try HeapArray<Int>(capacity: -1) }
        #expect(throws: AllocationError.negativeCount(-1)) {
            _ = try HeapBuffer(repeating: 1, count: -1)
        }
        #expect(throws: AllocationError.outOfMemory(byteCount: .max)) {
            _ = try HeapArray<Int>(capacity: .max)
        }
        var array = try HeapArray(repeating: 1, count: 3)
        #expect(throws: AllocationError.outOfMemory(byteCount: .max)) {
            try array.reserveCapacity(.max)
        }
        #expect(throws: HeapInitializationError<Never>.allocation(.outOfMemory(byteCount: .max))) {
            try array.append(addingCapacity: .max) { _ in }
        }
        #expect(array.count == 3 && array[2] == 1)
    }

    @Test func elementsMoveOutAndTheRestEndsOrStays() throws {
        var sum = 0
        try HeapBuffer<Token>(count: 10, element: { Token($0) }).drain { sum += $0.number }
        #expect(sum == 45 && Token.alive == 0)
        #expect(throws: Failure.self) {
            try HeapBuffer<Token>(count: 10, element: { Token($0) }).drain {
                token throws(Failure) in
                if token.number == 4 { throw Failure() }
            }
        }
        #expect(Token.alive == 0)
        var array = try HeapArray(HeapBuffer<Token>(count: 10, element: { Token($0) }))
        do throws(Failure) {
            try array.drain { token throws(Failure) in if token.number == 4 { throw Failure() } }
        } catch {
            #expect(array.count == 5 && array[0].number == 5 && Token.alive == 5)
        }
        #expect(array.count == 5)
        array.edit { output in
            _ = output.removeLast()
            output.append(Token(20))
        }
        #expect(array.count == 5 && array[4].number == 20)
        array.removeAll()
        #expect(array.capacity == 0 && Token.alive == 0)
    }

    @Test func spansAndBytesAreOfTheElements() throws {
        var array = HeapArray<UInt32>()
        try array.append(copying: [1, 2, 3].span)
        try array.append(copying: stride(from: UInt32(4), to: 10, by: 1))
        var span = array.mutableSpan
        for index in span.indices { span[index] *= 256 }
        #expect(
            array.bytes.byteCount == 36
                && array.bytes.unsafeLoad(fromByteOffset: 5, as: UInt8.self) == 2)
        var sum: UInt32 = 0
        for index in array.span.indices { sum += array.span[index] }
        #expect(sum == 45 * 256)

        var buffer = try HeapBuffer(copying: array.span)
        var bytes = buffer.mutableBytes
        bytes.storeBytes(of: UInt32(77), toByteOffset: 4, as: UInt32.self)
        #expect(buffer[1] == 77 && buffer.bytes.byteCount == 36 && array[1] == 512)
        let value = try HeapValue(UInt64(1) << 40)
        #expect(
            value.bytes.byteCount == 8
                && value.bytes.unsafeLoad(fromByteOffset: 5, as: UInt8.self) == 1)
    }

    @Test func alignedElementsStayAlignedWhileTheyMove() throws {
        var array = HeapArray<SIMD16<Float>>()
        for number in 0..<1000 {
            try array.append(SIMD16(repeating: Float(number)))
            let address = array.withUnsafeMutableBufferPointer { Int(bitPattern: $0.baseAddress) }
            #expect(address % MemoryLayout<SIMD16<Float>>.alignment == 0)
        }
        #expect(array.indices.allSatisfy { array[$0][15] == Float($0) })
    }
}
