import CPercolate
import Foundation

/// A second implementation of operation vectors, written from the contract alone: on a byte array,
/// one byte at a time, with the access rights of each page in a table. What the core does must be
/// what this says.
struct SequentialModel {
    enum Rights { case none, read, write }

    /// The address of the memory's first byte, and its bytes.
    let base: UInt64
    var bytes: [UInt8]
    let rights: [Rights]

    /// The result of a vector that names a good CPU. `bytes` changes as the memory would.
    mutating func run(_ vector: [cpu_op]) -> VectorResult {
        if vector.count > 16 || !vector.allSatisfy(isWellFormed) { return .failed(EINVAL) }
        let data = vector.filter { $0.op != 9 }.reduce(0) { $0 + UInt64($1.len) }
        if data > 4216 { return .failed(EINVAL) }
        for operation in vector {
            for operand in operands(operation) where !canAccess(operand.address, Int(operation.len), operand.right) {
                return .failed(operand.expectsFault ? EAGAIN : EFAULT)
            }
        }
        for (index, operation) in vector.enumerated() where !execute(operation) { return .stopped(at: index) }
        return .done
    }

    private func isWellFormed(_ operation: cpu_op) -> Bool {
        switch operation.op {
        case 0, 1, 2, 10: operation.len <= 4096
        case 3, 4, 5, 6, 11: [1, 2, 4, 8].contains(operation.len)
        case 7, 8: [1, 2, 4, 8].contains(operation.len) && operation.u.shift_op.bits <= 8 * operation.len - 1
        case 9: true
        default: false
        }
    }

    private func operands(_ operation: cpu_op) -> [(address: UInt64, right: Rights, expectsFault: Bool)] {
        let u = operation.u
        return switch operation.op {
        case 0, 1:
            [
                (u.compare_op.a, .read, u.compare_op.expect_fault_a != 0),
                (u.compare_op.b, .read, u.compare_op.expect_fault_b != 0),
            ]
        case 2, 10:
            [
                (u.memcpy_op.dst, .write, u.memcpy_op.expect_fault_dst != 0),
                (u.memcpy_op.src, .read, u.memcpy_op.expect_fault_src != 0),
            ]
        case 7, 8: [(u.shift_op.p, .write, u.shift_op.expect_fault_p != 0)]
        case 9: []
        default: [(u.arithmetic_op.p, .write, u.arithmetic_op.expect_fault_p != 0)]
        }
    }

    private func canAccess(_ address: UInt64, _ len: Int, _ right: Rights) -> Bool {
        guard len > 0 else { return true }
        guard address >= base, address - base <= UInt64(bytes.count - len) else { return false }
        let first = Int(address - base)
        return (first / 4096...(first + len - 1) / 4096).allSatisfy {
            right == .read ? rights[$0] != .none : rights[$0] == .write
        }
    }

    private func load(_ address: UInt64, _ len: Int) -> [UInt8] {
        guard len > 0 else { return [] }
        let first = Int(address - base)
        return Array(bytes[first..<first + len])
    }

    private mutating func store(_ new: [UInt8], _ address: UInt64) {
        guard !new.isEmpty else { return }
        let first = Int(address - base)
        bytes.replaceSubrange(first..<first + new.count, with: new)
    }

    private mutating func execute(_ operation: cpu_op) -> Bool {
        let len = Int(operation.len)
        let u = operation.u
        func change(_ p: UInt64, _ body: ([Bool]) -> [Bool]) {
            let value = load(p, len)
            let bits = (0..<8 * len).map { value[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
            let changed = body(bits)
            let packed = (0..<len).map { byte in
                (0..<8).reduce(UInt8(0)) { $0 | (changed[8 * byte + $1] ? 1 << UInt8($1) : 0) }
            }
            store(packed, p)
        }
        func bits(_ value: UInt64) -> [Bool] { (0..<8 * len).map { value >> UInt64($0) & 1 == 1 } }
        switch operation.op {
        case 0: return load(u.compare_op.a, len) == load(u.compare_op.b, len)
        case 1: return load(u.compare_op.a, len) != load(u.compare_op.b, len)
        case 2, 10: store(load(u.memcpy_op.src, len), u.memcpy_op.dst)
        case 3, 11:
            // A ripple-carry adder.
            let count = bits(UInt64(bitPattern: u.arithmetic_op.count))
            change(u.arithmetic_op.p) { value in
                var carry = false
                return zip(value, count).map { a, b in
                    let sum = (a != b) != carry
                    carry = (a && b) || (carry && (a || b))
                    return sum
                }
            }
        case 4: change(u.bitwise_op.p) { zip($0, bits(u.bitwise_op.mask)).map { $0 || $1 } }
        case 5: change(u.bitwise_op.p) { zip($0, bits(u.bitwise_op.mask)).map { $0 && $1 } }
        case 6: change(u.bitwise_op.p) { zip($0, bits(u.bitwise_op.mask)).map { $0 != $1 } }
        case 7:
            let count = Int(u.shift_op.bits)
            change(u.shift_op.p) { Array(repeating: false, count: count) + $0.dropLast(count) }
        case 8:
            let count = Int(u.shift_op.bits)
            change(u.shift_op.p) { $0.dropFirst(count) + Array(repeating: false, count: count) }
        default: break
        }
        return true
    }
}
