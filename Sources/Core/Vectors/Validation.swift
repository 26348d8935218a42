import CPercolate

/// The checks of a vector that look at no memory but the vector.
///
/// - Returns: whether the vector is well formed: every operation known, with a length and a shift
///   count within its limits, and no more bytes in all than a vector may have. A vector that is not
///   gets `EINVAL`.
func isWellFormed(_ operations: UnsafePointer<cpu_op>, count: Int) -> Bool {
    var index = 0
    while index < count {
        guard isWellFormed(operations[index]) else { return false }
        index &+= 1
    }
    var total: UInt32 = 0
    index = 0
    while index < count {
        let isBarrier = operations[index].op == Int32(bitPattern: CPU_MB_OP.rawValue)
        if !isBarrier { total &+= operations[index].len }
        index &+= 1
    }
    return total <= longestVectorData
}

// The header's macros with arithmetic in them are not imported.
public let longestVectorData = UInt32(CPU_OP_DATA_LEN_MAX + 15 * 8)

/// Whether the operation is known, and its length and shift count are within their limits.
public func isWellFormed(_ operation: cpu_op) -> Bool {
    switch cpu_op_type(UInt32(bitPattern: operation.op)) {
    case CPU_LSHIFT_OP, CPU_RSHIFT_OP:
        hasValidLength(operation) && operation.u.shift_op.bits < 8 &* operation.len
    default: hasValidLength(operation)
    }
}

/// Whether the operation is known, and its length is within its limits.
public func hasValidLength(_ operation: cpu_op) -> Bool {
    switch cpu_op_type(UInt32(bitPattern: operation.op)) {
    case CPU_COMPARE_EQ_OP, CPU_COMPARE_NE_OP, CPU_MEMCPY_OP, CPU_MEMCPY_RELEASE_OP:
        operation.len <= UInt32(CPU_OP_DATA_LEN_MAX)
    case CPU_ADD_OP, CPU_ADD_RELEASE_OP, CPU_OR_OP, CPU_AND_OP, CPU_XOR_OP, CPU_LSHIFT_OP, CPU_RSHIFT_OP:
        isIntegerWidth(operation.len)
    case CPU_MB_OP: true
    default: false
    }
}

private func isIntegerWidth(_ len: UInt32) -> Bool {
    len == 1 || len == 2 || len == 4 || len == 8
}
