import CPercolate
import Glibc
import PercolateCoreHosted

/// A short sequence of operations on memory that runs once, in order, alone among all vectors and
/// restartable sequences of one CPU number.
///
/// A vector is the slow path of per-CPU data: it works from any thread, for any CPU, under a
/// debugger, and on a kernel without restartable sequences. The fast path of the same operation is
/// a section that loads the CPU's gate; running a vector closes that gate, so the two exclude each
/// other and a caller need not know which of them ran. ``PerCPUCounter`` is the shortest example:
///
///     import CPercolate  // the sections of <percolate/rseq_ops.h>
///
///     // Fast: one instruction between two labels; where it is interrupted the call says so.
///     if rseq_addv(slot, 1, cpu) == 0 { return }
///     // Slow: the same addition behind the gate.
///     var vector = OperationVector()
///     vector.add(1, to: slot, byteCount: 8)
///     try vector.run(on: Int(cpu))
///
/// Memory that a vector works on may be written only by vectors and sections that name the same
/// CPU, and must stay mapped while it runs unless it is said to be able to fault: `mayFault`.
/// Numbers are unsigned and wrap. A vector is a value that may be kept, sent and run again, on any
/// thread. Running one is safe in signal handlers after the first use of the heap; building one is
/// safe at any time.
@safe
public struct OperationVector: Sendable {
    /// What became of a vector that ran.
    public enum Outcome: Equatable, Sendable {
        /// Every operation ran.
        case completed
        /// The comparison at this position ended it. What stands before it was done.
        case stopped(at: Int)
    }

    /// The most operations of a vector: sixteen.
    public static let capacity = Int(CPU_OP_VEC_LEN_MAX)
    /// The most bytes that the operations of a vector may work on together.
    public static let longestData = Int(longestVectorData)

    private var operations = InlineArray<16, cpu_op>(repeating: cpu_op())
    /// Operations asked for: may be more than fit, which `run` refuses.
    public private(set) var count = 0

    /// A vector without operations.
    public init() {}

    /// Goes on when the bytes are equal, else ends the vector. At most 4,096 bytes.
    public mutating func requireEqual(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, byteCount: Int, mayFault: (a: Bool, b: Bool) = (false, false)
    ) {
        unsafe compare(CPU_COMPARE_EQ_OP, a, b, byteCount, mayFault)
    }

    /// Goes on when the bytes differ, else ends the vector. At most 4,096 bytes.
    public mutating func requireDifferent(
        _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, byteCount: Int, mayFault: (a: Bool, b: Bool) = (false, false)
    ) {
        unsafe compare(CPU_COMPARE_NE_OP, a, b, byteCount, mayFault)
    }

    /// Copies at most 4,096 bytes. `releasing` makes the stores visible after everything before
    /// them.
    public mutating func copy(
        from source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, byteCount: Int, releasing: Bool = false,
        mayFault: (source: Bool, destination: Bool) = (false, false)
    ) {
        var operation = Self.operation(releasing ? CPU_MEMCPY_RELEASE_OP : CPU_MEMCPY_OP, byteCount)
        unsafe operation.u.memcpy_op.src = UInt64(UInt(bitPattern: source))
        unsafe operation.u.memcpy_op.dst = UInt64(UInt(bitPattern: destination))
        unsafe operation.u.memcpy_op.expect_fault_src = mayFault.source ? 1 : 0
        unsafe operation.u.memcpy_op.expect_fault_dst = mayFault.destination ? 1 : 0
        append(operation)
    }

    /// Adds to the integer of 1, 2, 4 or 8 bytes at `target`.
    public mutating func add(
        _ amount: Int64, to target: UnsafeMutableRawPointer, byteCount: Int, releasing: Bool = false,
        mayFault: Bool = false
    ) {
        var operation = Self.operation(releasing ? CPU_ADD_RELEASE_OP : CPU_ADD_OP, byteCount)
        unsafe operation.u.arithmetic_op.p = UInt64(UInt(bitPattern: target))
        unsafe operation.u.arithmetic_op.count = amount
        unsafe operation.u.arithmetic_op.expect_fault_p = mayFault ? 1 : 0
        append(operation)
    }

    /// `target |= mask`, of 1, 2, 4 or 8 bytes.
    public mutating func or(
        _ mask: UInt64, into target: UnsafeMutableRawPointer, byteCount: Int, mayFault: Bool = false
    ) {
        unsafe maskWith(CPU_OR_OP, mask, target, byteCount, mayFault)
    }

    /// `target &= mask`, of 1, 2, 4 or 8 bytes.
    public mutating func and(
        _ mask: UInt64, into target: UnsafeMutableRawPointer, byteCount: Int, mayFault: Bool = false
    ) {
        unsafe maskWith(CPU_AND_OP, mask, target, byteCount, mayFault)
    }

    /// `target ^= mask`, of 1, 2, 4 or 8 bytes.
    public mutating func xor(
        _ mask: UInt64, into target: UnsafeMutableRawPointer, byteCount: Int, mayFault: Bool = false
    ) {
        unsafe maskWith(CPU_XOR_OP, mask, target, byteCount, mayFault)
    }

    /// `target <<= bits`, of 1, 2, 4 or 8 bytes; fewer bits than the target has.
    public mutating func shiftLeft(
        _ target: UnsafeMutableRawPointer, by bits: Int, byteCount: Int, mayFault: Bool = false
    ) {
        unsafe shift(CPU_LSHIFT_OP, target, bits, byteCount, mayFault)
    }

    /// `target >>= bits`, filling with zeros, of 1, 2, 4 or 8 bytes; fewer bits than the target
    /// has.
    public mutating func shiftRight(
        _ target: UnsafeMutableRawPointer, by bits: Int, byteCount: Int, mayFault: Bool = false
    ) {
        unsafe shift(CPU_RSHIFT_OP, target, bits, byteCount, mayFault)
    }

    /// A full memory barrier.
    public mutating func barrier() { append(Self.operation(CPU_MB_OP, 0)) }

    /// Checks the vector and runs it for CPU number `cpu`. Waits while another vector of that CPU
    /// runs.
    @discardableResult
    public func run(on cpu: Int) throws(VectorError) -> Outcome {
        guard count <= Self.capacity else { throw .tooManyOperations(count) }
        guard let number = Int32(exactly: cpu) else { throw .noSuchCPU(cpu) }
        var operations = operations
        var copy = InlineArray<16, cpu_op>(repeating: cpu_op())
        let count = Int32(count)
        let result = unsafe withUnsafeMutableBytes(of: &operations) { source in
            unsafe withUnsafeMutableBytes(of: &copy) { target -> Int in
                let vector = unsafe source.baseAddress?.assumingMemoryBound(to: cpu_op.self)
                let room = unsafe target.baseAddress?.assumingMemoryBound(to: cpu_op.self)
                return unsafe HeapAccess.current.table.pointee.run_vector(
                    vector, room, count, number, 0, PERCOLATE_VECTOR_ANY_CPU)
            }
        }
        switch result {
        case 0: return .completed
        case 1...: return .stopped(at: result - 1)
        case -Int(EAGAIN): throw .expectedFault
        case -Int(EFAULT): throw .fault
        default: throw refusal(on: cpu)
        }
    }

    /// What the core's `EINVAL` means, looked for in the order of its checks.
    private func refusal(on cpu: Int) -> VectorError {
        guard cpu >= 0 else { return .noSuchCPU(cpu) }
        var byteCount = 0
        for position in 0..<count {
            let operation = operations[position]
            guard hasValidLength(operation) else { return .invalidLength(operation: position) }
            guard isWellFormed(operation) else { return .invalidShift(operation: position) }
            byteCount += Int(operation.len)
        }
        return byteCount > Self.longestData ? .tooManyBytes(byteCount) : .noSuchCPU(cpu)
    }

    private static func operation(_ kind: cpu_op_type, _ byteCount: Int) -> cpu_op {
        var operation = cpu_op()
        operation.op = Int32(bitPattern: kind.rawValue)
        // A length that does not fit is above every limit, and stays so.
        operation.len = UInt32(exactly: byteCount) ?? .max
        return operation
    }

    private mutating func append(_ operation: cpu_op) {
        if count < Self.capacity { operations[count] = operation }
        count += 1
    }

    private mutating func compare(
        _ kind: cpu_op_type, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ byteCount: Int,
        _ mayFault: (a: Bool, b: Bool)
    ) {
        var operation = Self.operation(kind, byteCount)
        unsafe operation.u.compare_op.a = UInt64(UInt(bitPattern: a))
        unsafe operation.u.compare_op.b = UInt64(UInt(bitPattern: b))
        unsafe operation.u.compare_op.expect_fault_a = mayFault.a ? 1 : 0
        unsafe operation.u.compare_op.expect_fault_b = mayFault.b ? 1 : 0
        append(operation)
    }

    private mutating func maskWith(
        _ kind: cpu_op_type, _ mask: UInt64, _ target: UnsafeMutableRawPointer, _ byteCount: Int,
        _ mayFault: Bool
    ) {
        var operation = Self.operation(kind, byteCount)
        unsafe operation.u.bitwise_op.p = UInt64(UInt(bitPattern: target))
        unsafe operation.u.bitwise_op.mask = mask
        unsafe operation.u.bitwise_op.expect_fault_p = mayFault ? 1 : 0
        append(operation)
    }

    private mutating func shift(
        _ kind: cpu_op_type, _ target: UnsafeMutableRawPointer, _ bits: Int, _ byteCount: Int,
        _ mayFault: Bool
    ) {
        var operation = Self.operation(kind, byteCount)
        unsafe operation.u.shift_op.p = UInt64(UInt(bitPattern: target))
        unsafe operation.u.shift_op.bits = UInt32(exactly: bits) ?? .max
        unsafe operation.u.shift_op.expect_fault_p = mayFault ? 1 : 0
        append(operation)
    }
}
