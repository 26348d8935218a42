import CPercolate

/// Finds out, before a gate is closed, whether the operands of a vector can be accessed.
///
/// A fault behind a closed gate would kill the process, or run a handler while the CPU is taken; so every page of every
/// operand is probed first. It is a value on the stack of one vector: it remembers the last pages it has found good,
/// since the operands of a typical vector lie on one or two.
struct OperandProbe {
    /// The page numbers found readable, and the ones found writable (which can be read as well).
    private var readable = noPage
    private var writable = noPage

    /// The two kinds of access an operand needs.
    enum Access {
        case read, write
    }

    /// The first operand, in the order of the operations, that cannot be accessed: 0 when all can be, else `EFAULT`, or
    /// `EAGAIN` when that operand expects a fault.
    ///
    /// Inside an operation the order is `a` before `b` and `dst` before `src`.
    mutating func firstError(_ operations: UnsafePointer<cpu_op>, count: Int) -> Int32 {
        var index = 0
        while index < count {
            let error = error(operations[index])
            if error != 0 { return error }
            index &+= 1
        }
        return 0
    }

    /// Whether all `len` bytes at `address` can be accessed.
    mutating func canAccess(_ address: UInt64, _ len: UInt32, _ access: Access) -> Bool {
        guard len > 0 else { return true }
        let (last, wraps) = address.addingReportingOverflow(UInt64(len &- 1))
        guard !wraps else { return false }
        var page = address >> pageShift
        while page <= last >> pageShift {
            guard canAccess(page: page, at: max(address, page << pageShift), access) else { return false }
            page &+= 1
        }
        return true
    }

    private mutating func error(_ operation: cpu_op) -> Int32 {
        let len = operation.len
        switch cpu_op_type(UInt32(bitPattern: operation.op)) {
        case CPU_COMPARE_EQ_OP, CPU_COMPARE_NE_OP:
            let compare = operation.u.compare_op
            let first = error(compare.a, len, .read, expected: compare.expect_fault_a)
            return first != 0 ? first : error(compare.b, len, .read, expected: compare.expect_fault_b)
        case CPU_MEMCPY_OP, CPU_MEMCPY_RELEASE_OP:
            let copy = operation.u.memcpy_op
            let first = error(copy.dst, len, .write, expected: copy.expect_fault_dst)
            return first != 0 ? first : error(copy.src, len, .read, expected: copy.expect_fault_src)
        case CPU_ADD_OP, CPU_ADD_RELEASE_OP:
            let arithmetic = operation.u.arithmetic_op
            return error(arithmetic.p, len, .write, expected: arithmetic.expect_fault_p)
        case CPU_OR_OP, CPU_AND_OP, CPU_XOR_OP:
            let bitwise = operation.u.bitwise_op
            return error(bitwise.p, len, .write, expected: bitwise.expect_fault_p)
        case CPU_LSHIFT_OP, CPU_RSHIFT_OP:
            let shift = operation.u.shift_op
            return error(shift.p, len, .write, expected: shift.expect_fault_p)
        default:
            // A barrier has no operand.
            return 0
        }
    }

    private mutating func error(_ address: UInt64, _ len: UInt32, _ access: Access, expected: UInt8) -> Int32 {
        if canAccess(address, len, access) { return 0 }
        return expected != 0 ? EAGAIN : EFAULT
    }

    private mutating func canAccess(page: UInt64, at address: UInt64, _ access: Access) -> Bool {
        switch access {
        case .read:
            if page == readable || page == writable { return true }
            guard percolate_probe_read(address) != 0 else { return false }
            readable = page
        case .write:
            if page == writable { return true }
            guard percolate_probe_write(address) != 0 else { return false }
            writable = page
        }
        return true
    }
}

/// Probing by the smallest page of the architecture is right for larger ones too, and costs little more.
private let pageShift: UInt64 = 12

/// The number of no page: page numbers have twelve bits less.
private let noPage = UInt64.max
