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
        #expect(throws: VectorError.tooManyOperations(17)) { try long.run(on: 0) }

        let refused: [(VectorError, (inout OperationVector) -> Void)] = [
            (.invalidLength(operation: 1), { $0.add(1, to: memory, byteCount: 3) }),
            (.invalidLength(operation: 1), { $0.add(1, to: memory, byteCount: -8) }),
            (.invalidLength(operation: 1), { $0.copy(from: memory, to: memory, byteCount: 4097) }),
            (.invalidLength(operation: 1), { $0.requireEqual(memory, memory, byteCount: .max) }),
            (.invalidLength(operation: 1), { $0.shiftLeft(memory, by: 1, byteCount: 0) }),
            (.invalidShift(operation: 1), { $0.shiftLeft(memory, by: 64, byteCount: 8) }),
            (.invalidShift(operation: 1), { $0.shiftRight(memory, by: -1, byteCount: 1) }),
        ]
        for (error, build) in refused {
            var vector = OperationVector()
            vector.barrier()
            build(&vector)
            #expect(throws: error) { try vector.run(on: 0) }
        }
        var large = OperationVector()
        for _ in 0..<2 { large.copy(from: memory, to: memory, byteCount: 4096) }
        #expect(throws: VectorError.tooManyBytes(8192)) { try large.run(on: 0) }
        for cpu in [-1, 1 << 20, .max, .min] {
            #expect(throws: VectorError.noSuchCPU(cpu)) { try OperationVector().run(on: cpu) }
        }

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
