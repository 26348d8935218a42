import CPercolate

/// Blocks were taken from below for the cache of `index`.
@inline(__always)
func announceRefill(_ count: Int, ofSize size: Int, at index: Int) {
    guard percolate_refill_is_traced() != 0 else { return }
    percolate_trace_refill(Int32(truncatingIfNeeded: index), UInt64(size), UInt64(count))
}

/// Blocks were moved out of the cache of `index`, to go down.
@inline(__always)
func announceDrain(_ count: Int, ofSize size: Int, at index: Int) {
    guard count > 0, percolate_drain_is_traced() != 0 else { return }
    percolate_trace_drain(Int32(truncatingIfNeeded: index), UInt64(size), UInt64(count))
}

@inline(__always)
func announceSteal(_ count: Int, from victim: Int, by index: Int) {
    guard percolate_steal_is_traced() != 0 else { return }
    percolate_trace_steal(Int32(truncatingIfNeeded: index), Int32(truncatingIfNeeded: victim), UInt64(count))
}

/// What tracers see of one vector from outside: that it begins, and with which result and how long after it ends.
struct VectorTrace {
    /// Whose vector it is: the numbers of `vec_begin`.
    enum Origin: Int32 {
        case callers = 0
        case allocators = 1
    }

    private let cpu: Int32
    private let start: UInt64

    @inline(__always)
    init(beginning vector: UInt64, count: Int, cpu: Int, origin: Origin) {
        self.cpu = Int32(truncatingIfNeeded: cpu)
        if percolate_vec_begin_is_traced() != 0 {
            percolate_trace_vec_begin(vector, Int32(truncatingIfNeeded: count), self.cpu, origin.rawValue)
        }
        start = percolate_vec_end_is_traced() != 0 ? percolate_nanoseconds() : 0
    }

    @inline(__always)
    func end(_ result: Int) {
        if start != 0 { percolate_trace_vec_end(cpu, result, percolate_nanoseconds() &- start) }
    }
}

/// An operation has run behind the gate of `cpu`. `outcome` is 1, 0 for a compare that stopped the vector, or -1 for a fault.
@inline(__always)
func announce(_ operation: cpu_op, cpu: Int, index: Int, outcome: Int32) {
    if percolate_op_is_traced() != 0 { announceTraced(operation, cpu: cpu, index: index, outcome: outcome) }
}

@inline(never)
private func announceTraced(_ operation: cpu_op, cpu: Int, index: Int, outcome: Int32) {
    // The operands are at the same places in all members of the union but one, whose second is shorter.
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
