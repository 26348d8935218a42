import CPercolate

/// Finds out, before a gate is closed, whether the operands of a vector can be accessed.
///
/// A fault behind a closed gate would kill the process, or run a handler while the CPU is taken; so
/// every page of every operand is probed first. Each probe is a system call, and there are as few
/// as can be: it is a value on the stack of one vector that remembers the last pages it has found
/// good, since the operands of a typical vector lie on two or three, and one of those is the stack
/// page that runs the vector.
struct OperandProbe {
    /// The pages of memory that the caller holds and writes itself: no question about those.
    private var ownPages: ClosedRange<UInt64> = noPage...noPage
    /// The last pages found good, with the access that they allow in the lowest bit: 1 for both, 0
    /// for reading.
    private var good = InlineArray<4, UInt64>(repeating: noPage)
    private var next = 0
    /// The vector that is being probed.
    private var operations: UnsafePointer<cpu_op>?
    private var count = 0

    /// The two kinds of access an operand needs.
    enum Access: UInt64 {
        case read, write
    }

    init() {}

    /// A probe on behalf of a caller that holds the `bytes` bytes at `address`, more than 0, and
    /// may write them all.
    init(caller address: UInt64, bytes: UInt64) {
        ownPages = address >> pageShift...(address &+ bytes &- 1) >> pageShift
    }

    /// The first operand, in the order of the operations, that cannot be accessed: 0 when all can
    /// be, else `EFAULT`, or `EAGAIN` when that operand expects a fault.
    ///
    /// Inside an operation the order is `a` before `b` and `dst` before `src`.
    ///
    /// - Parameter onlyExpected: asks only about operands that expect a fault.
    mutating func firstError(
        _ operations: UnsafePointer<cpu_op>, count: Int, onlyExpected: Bool = false
    ) -> Int32 {
        self.operations = operations
        self.count = count
        var index = 0
        while index < count {
            let error = error(operations[index], onlyExpected)
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

    private mutating func error(_ operation: cpu_op, _ onlyExpected: Bool) -> Int32 {
        let len = operation.len
        switch cpu_op_type(UInt32(bitPattern: operation.op)) {
        case CPU_COMPARE_EQ_OP, CPU_COMPARE_NE_OP:
            let compare = operation.u.compare_op
            let first = error(compare.a, len, .read, compare.expect_fault_a, onlyExpected)
            return first != 0 ? first : error(compare.b, len, .read, compare.expect_fault_b, onlyExpected)
        case CPU_MEMCPY_OP, CPU_MEMCPY_RELEASE_OP:
            let copy = operation.u.memcpy_op
            let first = error(copy.dst, len, .write, copy.expect_fault_dst, onlyExpected)
            return first != 0 ? first : error(copy.src, len, .read, copy.expect_fault_src, onlyExpected)
        case CPU_ADD_OP, CPU_ADD_RELEASE_OP:
            let arithmetic = operation.u.arithmetic_op
            return error(arithmetic.p, len, .write, arithmetic.expect_fault_p, onlyExpected)
        case CPU_OR_OP, CPU_AND_OP, CPU_XOR_OP:
            let bitwise = operation.u.bitwise_op
            return error(bitwise.p, len, .write, bitwise.expect_fault_p, onlyExpected)
        case CPU_LSHIFT_OP, CPU_RSHIFT_OP:
            let shift = operation.u.shift_op
            return error(shift.p, len, .write, shift.expect_fault_p, onlyExpected)
        default:
            // A barrier has no operand.
            return 0
        }
    }

    private mutating func error(
        _ address: UInt64, _ len: UInt32, _ access: Access, _ expected: UInt8, _ onlyExpected: Bool
    ) -> Int32 {
        if (onlyExpected && expected == 0) || canAccess(address, len, access) { return 0 }
        return expected != 0 ? EAGAIN : EFAULT
    }

    private mutating func canAccess(page: UInt64, at address: UInt64, _ access: Access) -> Bool {
        if ownPages.contains(page) || isGood(page, access) { return true }
        switch access {
        case .read:
            // A page that the vector writes as well needs one question. Where it is answered by no,
            // the other one decides.
            if let written = firstWrite(to: page), percolate_probe_write(written) != 0 {
                remember(page, .write)
                return true
            }
            guard percolate_probe_read(address) != 0 else { return false }
        case .write:
            guard percolate_probe_write(address) != 0 else { return false }
        }
        remember(page, access)
        return true
    }

    private func isGood(_ page: UInt64, _ access: Access) -> Bool {
        for index in 0..<4 where good[index] >> 1 == page && good[index] & 1 >= access.rawValue { return true }
        return false
    }

    private mutating func remember(_ page: UInt64, _ access: Access) {
        good[next] = page << 1 | access.rawValue
        next = (next &+ 1) & 3
    }

    /// The first byte on `page` that an operation of the vector writes.
    private func firstWrite(to page: UInt64) -> UInt64? {
        guard let operations else { return nil }
        var index = 0
        while index < count {
            let operation = operations[index]
            // What is written lies at the same place in all members of the union.
            let first = operation.u.memcpy_op.dst
            if operation.stores, operation.len > 0, first >> pageShift <= page,
                (first &+ UInt64(operation.len &- 1)) >> pageShift >= page
            {
                return max(first, page << pageShift)
            }
            index &+= 1
        }
        return nil
    }
}

extension cpu_op {
    /// Whether it writes memory.
    var stores: Bool {
        switch cpu_op_type(UInt32(bitPattern: op)) {
        case CPU_COMPARE_EQ_OP, CPU_COMPARE_NE_OP, CPU_MB_OP: false
        default: true
        }
    }
}

/// Probing by the smallest page of the architecture is right for larger ones too, and costs little
/// more.
private let pageShift: UInt64 = 12

/// The number of no page: page numbers have twelve bits less. It stays none when it is shifted.
private let noPage = UInt64.max
