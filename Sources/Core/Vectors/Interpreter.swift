import CPercolate

/// Runs `count` operations in order, once each.
///
/// The operations have been validated, their operands can be accessed, and the caller alone may
/// write what they write: it holds the gate that they belong to. Allocates nothing and calls
/// nothing that may block.
///
/// - Parameter cpu: whose gate is closed, for tracers.
/// - Returns: 0 when every operation ran, else the index plus one of the compare that stopped the
///   vector. The stores of the operations before that compare stay.
func executeOperations(_ operations: UnsafePointer<cpu_op>, count: Int, cpu: Int) -> Int {
    var index = 0
    while index < count {
        let goesOn = execute(operations[index])
        announce(operations[index], cpu: cpu, index: index, outcome: goesOn ? 1 : 0)
        guard goesOn else { return index &+ 1 }
        index &+= 1
    }
    return 0
}

/// Runs one operation.
///
/// - Returns: whether the vector goes on: false when a compare stops it.
@inline(__always)
func execute(_ operation: cpu_op) -> Bool {
    // Operations see each other's effects and are seen in order by the thread's own signal
    // handlers; other CPUs get no order from it.
    percolate_compiler_barrier()
    let len = operation.len
    switch cpu_op_type(UInt32(bitPattern: operation.op)) {
    case CPU_COMPARE_EQ_OP: return rangesAreEqual(operation.u.compare_op.a, operation.u.compare_op.b, len)
    case CPU_COMPARE_NE_OP: return !rangesAreEqual(operation.u.compare_op.a, operation.u.compare_op.b, len)
    case CPU_MEMCPY_OP: copy(operation, releasing: false)
    case CPU_MEMCPY_RELEASE_OP: copy(operation, releasing: true)
    case CPU_ADD_OP:
        let address = operation.u.arithmetic_op.p
        percolate_operand_store(address, sum(operation), len)
    case CPU_ADD_RELEASE_OP:
        let address = operation.u.arithmetic_op.p
        percolate_operand_store_release(address, sum(operation), len)
    case CPU_OR_OP:
        let address = operation.u.bitwise_op.p
        percolate_operand_store(address, percolate_operand_load(address, len) | operation.u.bitwise_op.mask, len)
    case CPU_AND_OP:
        let address = operation.u.bitwise_op.p
        percolate_operand_store(address, percolate_operand_load(address, len) & operation.u.bitwise_op.mask, len)
    case CPU_XOR_OP:
        let address = operation.u.bitwise_op.p
        percolate_operand_store(address, percolate_operand_load(address, len) ^ operation.u.bitwise_op.mask, len)
    case CPU_LSHIFT_OP:
        let address = operation.u.shift_op.p
        percolate_operand_store(
            address, percolate_operand_load(address, len) &<< UInt64(operation.u.shift_op.bits), len)
    case CPU_RSHIFT_OP:
        let address = operation.u.shift_op.p
        percolate_operand_store(
            address, percolate_operand_load(address, len) &>> UInt64(operation.u.shift_op.bits), len)
    default:
        // Validation lets no other number through: this is `CPU_MB_OP`.
        percolate_memory_barrier()
    }
    return true
}

/// Whether an access of `len` bytes to all the `addresses`, or-ed together, is single-copy atomic.
@inline(__always)
func isScalar(_ addresses: UInt64, _ len: UInt32) -> Bool {
    len <= 8 && len.nonzeroBitCount == 1 && addresses & UInt64(len &- 1) == 0
}

@inline(__always)
private func rangesAreEqual(_ a: UInt64, _ b: UInt64, _ len: UInt32) -> Bool {
    guard isScalar(a | b, len) else { return percolate_operand_equal(a, b, len) != 0 }
    let first = percolate_operand_load(a, len)
    return first == percolate_operand_load(b, len)
}

@inline(__always)
private func copy(_ operation: cpu_op, releasing: Bool) {
    let destination = operation.u.memcpy_op.dst
    let source = operation.u.memcpy_op.src
    guard isScalar(destination | source, operation.len) else {
        if releasing { percolate_memory_barrier() }
        percolate_operand_copy(destination, source, operation.len)
        return
    }
    let value = percolate_operand_load(source, operation.len)
    if releasing {
        percolate_operand_store_release(destination, value, operation.len)
    } else {
        percolate_operand_store(destination, value, operation.len)
    }
}

@inline(__always)
private func sum(_ operation: cpu_op) -> UInt64 {
    percolate_operand_load(operation.u.arithmetic_op.p, operation.len)
        &+ UInt64(bitPattern: operation.u.arithmetic_op.count)
}
