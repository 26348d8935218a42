import Foundation
import Percolate
import Testing

@Suite struct OperationVectorTests {
    private let memory = UnsafeMutablePointer<UInt64>.allocate(capacity: 8)

    init() { memory.initialize(repeating: 0, count: 8) }

    @Test func operationsRunInOrder() throws {
        memory[0] = 5
        var vector = OperationVector()
        vector.add(3, to: memory, byteCount: 8)
        vector.shiftLeft(memory, by: 4, byteCount: 8)
        vector.or(1, into: memory, byteCount: 8)
        vector.copy(from: memory, to: memory + 1, byteCount: 8, releasing: true)
        vector.xor(0xff, into: memory, byteCount: 8)
        vector.and(0xf0, into: memory, byteCount: 8)
        vector.shiftRight(memory, by: 4, byteCount: 8)
        vector.barrier()
        #expect(try vector.run(on: 0) == .completed)
        #expect(memory[1] == 0x81)
        #expect(memory[0] == 0x7)
    }

    @Test func aComparisonStopsTheVectorWhereItStands() throws {
        memory[0] = 1
        var vector = OperationVector()
        vector.add(1, to: memory + 2, byteCount: 8)
        vector.requireDifferent(memory, memory + 1, byteCount: 8)
        vector.requireEqual(memory, memory + 1, byteCount: 8)
        vector.add(1, to: memory + 2, byteCount: 8)
        #expect(try vector.run(on: 0) == .stopped(at: 2))
        #expect(memory[2] == 1)
    }

    @Test func anEmptyVectorCompletes() throws {
        #expect(try OperationVector().run(on: 0) == .completed)
    }

    @Test func everyErrorHasItsOwnValue() throws {
        var long = OperationVector()
        for _ in 0...OperationVector.capacity { long.barrier() }
        #expect(throws: VectorError.invalid) { try long.run(on: 0) }

        var odd = OperationVector()
        odd.add(1, to: memory, byteCount: 3)
        #expect(throws: VectorError.invalid) { try odd.run(on: 0) }
        var large = OperationVector()
        large.copy(from: memory, to: memory, byteCount: 4097)
        #expect(throws: VectorError.invalid) { try large.run(on: 0) }
        #expect(throws: VectorError.invalid) { try OperationVector().run(on: -1) }
        #expect(throws: VectorError.invalid) { try OperationVector().run(on: 1 << 20) }
        #expect(throws: VectorError.invalid) { try OperationVector().run(on: .max) }

        let page = try #require(mmap(nil, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(page, 4096) }
        var fault = OperationVector()
        fault.add(1, to: memory, byteCount: 8)
        fault.copy(from: page, to: memory, byteCount: 8)
        #expect(throws: VectorError.fault) { try fault.run(on: 0) }
        var expected = OperationVector()
        expected.add(1, to: memory, byteCount: 8)
        expected.copy(from: page, to: memory, byteCount: 8, mayFault: (source: true, destination: false))
        #expect(throws: VectorError.expectedFault) { try expected.run(on: 0) }
        #expect(memory[0] == 0, "an error stores nothing")

        let builders: [(inout OperationVector) -> Void] = [
            { $0.or(1, into: page, byteCount: 8, mayFault: true) },
            { $0.and(1, into: page, byteCount: 8, mayFault: true) },
            { $0.xor(1, into: page, byteCount: 8, mayFault: true) },
            { $0.shiftLeft(page, by: 1, byteCount: 8, mayFault: true) },
            { $0.shiftRight(page, by: 1, byteCount: 8, mayFault: true) },
            { $0.add(1, to: page, byteCount: 8, mayFault: true) },
        ]
        for build in builders {
            var vector = OperationVector()
            build(&vector)
            #expect(throws: VectorError.expectedFault) { try vector.run(on: 0) }
        }
    }
}
