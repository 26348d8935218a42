import CPercolate
import Foundation
import Testing

@testable import PercolateCoreHosted

/// Random vectors, run by the core on real memory and by the model on an array: results, errors and
/// every byte must agree.
@Suite struct DifferentialTests {
    static let rounds = ProcessInfo.processInfo.environment["PERCOLATE_LONG"] == "1" ? 200_000 : 4_000

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func vectorsDoWhatTheModelSays(seed: UInt64) {
        var random = SplitMix(state: seed)
        // Writable, writable, read-only, no access, writable; and a page behind them that says
        // where the memory ends.
        let memory = Pages(6)
        for offset in 0..<5 * 4096 { memory[offset] = UInt8.random(in: 0...3, using: &random) }
        var model = SequentialModel(
            base: memory.address(), bytes: (0..<5 * 4096).map { memory[$0] },
            rights: [.write, .write, .read, .none, .write])
        memory.protect(page: 2, PROT_READ)
        memory.protect(page: 3, PROT_NONE)
        memory.protect(page: 5, PROT_NONE)

        var results: [String: Int] = [:]
        for round in 0..<Self.rounds {
            let vector = vector(memory, &random)
            let cpu = Int32.random(in: 0...1, using: &random) % Int32(ProcessInfo.processInfo.processorCount)
            let expected = model.run(vector)
            let result = run(vector, cpu: cpu, on: PERCOLATE_VECTOR_ANY_CPU)
            guard result == expected, isSame(memory, model) else {
                Issue.record("round \(round), seed \(seed): \(result), the model says \(expected), for \(vector)")
                return
            }
            results[String("\(result)".prefix(7)), default: 0] += 1
        }
        // A fuzzer that only ever saw one kind of answer would have shown nothing.
        #expect(results.count >= 5 && results.values.allSatisfy { $0 > 10 }, "\(results)")
    }

    private func isSame(_ memory: Pages, _ model: SequentialModel) -> Bool {
        [0, 1, 2, 4].allSatisfy { page in
            model.bytes.withUnsafeBytes { memcmp(memory.start + page * 4096, $0.baseAddress! + page * 4096, 4096) == 0 }
        }
    }

    private func vector(_ memory: Pages, _ random: inout SplitMix) -> [cpu_op] {
        let count = Int.random(in: 0...5, using: &random)
        return (0..<count).map { _ in operation(memory, &random) }
    }

    private func operation(_ memory: Pages, _ random: inout SplitMix) -> cpu_op {
        var operation = cpu_op()
        operation.op = Int32.random(in: 0...11, using: &random)
        if oneIn(100, &random) { operation.op = Int32.random(in: -2...14, using: &random) }
        let isRange = [0, 1, 2, 10].contains(operation.op)
        let widths: [UInt32] = isRange ? [0, 1, 2, 3, 4, 5, 7, 8, 8, 8, 9, 24, 100] : [1, 2, 4, 8]
        operation.len = widths.randomElement(using: &random) ?? 8
        if oneIn(60, &random) { operation.len = UInt32.random(in: 0...4200, using: &random) }
        // Overlapping copies have no defined result: each operand of a copy has its own pages.
        let isCopy = operation.op == 2 || operation.op == 10
        operation.u.memcpy_op.dst = address(memory, isCopy ? 0..<4096 : 0..<5 * 4096, &random)
        switch operation.op {
        case 0, 1: operation.u.compare_op.b = address(memory, 0..<5 * 4096, &random)
        case 2, 10: operation.u.memcpy_op.src = address(memory, 8300..<5 * 4096, &random)
        case 7, 8:
            operation.u.shift_op.bits = UInt32.random(in: 0..<8 * max(1, min(operation.len, 8)), using: &random)
            if oneIn(60, &random) { operation.u.shift_op.bits += 64 }
        default: operation.u.bitwise_op.mask = UInt64.random(in: 0 ... .max, using: &random)
        }
        let expectsFault: UInt8 = oneIn(4, &random) ? 1 : 0
        if operation.op == 7 || operation.op == 8 {
            operation.u.shift_op.expect_fault_p = expectsFault
        } else {
            operation.u.memcpy_op.expect_fault_dst = expectsFault
            if isRange { operation.u.memcpy_op.expect_fault_src = oneIn(4, &random) ? 1 : 0 }
        }
        return operation
    }

    private func address(_ memory: Pages, _ range: Range<Int>, _ random: inout SplitMix) -> UInt64 {
        // Mostly few places, so that operations meet each other's effects, and mostly aligned.
        if oneIn(200, &random) { return UInt64.random(in: 0...4096, using: &random) }
        var offset = Int.random(in: range, using: &random)
        if !oneIn(12, &random) { offset = range.lowerBound + offset % 128 }
        return memory.address(oneIn(4, &random) ? offset : offset & ~7)
    }

    private func oneIn(_ chances: Int, _ random: inout SplitMix) -> Bool {
        Int.random(in: 0..<chances, using: &random) == 0
    }
}

/// A generator whose sequence depends on its seed only, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
