import CPercolate

/// An operation has run behind the gate of `cpu`. `outcome` is 1, 0 for a compare that stopped the
/// vector, or -1 for a fault.
@inline(__always)
func announce(_ operation: cpu_op, cpu: Int, index: Int, outcome: Int32) {
    if percolate_op_is_traced() != 0 { announceTraced(operation, cpu: cpu, index: index, outcome: outcome) }
}

@inline(never)
private func announceTraced(_ operation: cpu_op, cpu: Int, index: Int, outcome: Int32) {
    // The operands are at the same places in all members of the union but one, whose second is
    // shorter.
    let operands = operation.u.compare_op
    let isShift = operation.op == Int32(CPU_LSHIFT_OP.rawValue) || operation.op == Int32(CPU_RSHIFT_OP.rawValue)
    let second = isShift ? UInt64(operation.u.shift_op.bits) : operands.b
    var value: UInt64 = 0
    switch cpu_op_type(UInt32(bitPattern: operation.op)) {
    case CPU_COMPARE_EQ_OP, CPU_COMPARE_NE_OP, CPU_MB_OP: break
    default:
        let isInteger = operation.len > 0 && operation.len <= 8 && operation.len.nonzeroBitCount == 1
        if isInteger, outcome > 0 { value = percolate_operand_load(operands.a, operation.len) }
    }
    percolate_trace_op(
        Int32(truncatingIfNeeded: index), operation.op, operation.len, operands.a, second, outcome,
        Int32(truncatingIfNeeded: cpu), value)
}
