import CPercolate

/// Runs operations whose operands have been probed, as `executeOperations` does; operands that say
/// `expect_fault` may become inaccessible even now.
///
/// - What such an operand is read for is fetched by the kernel, which reports a fault instead of
///   raising a signal. Where the kernel refuses to fetch, the operand is read after one more probe.
/// - Such an operand that is written is probed once more right before: that narrows the window to
///   nanoseconds, and no more can be done without giving up the single store.
///
/// Those from the first store on are probed again before the first operation, so a page that went
/// away while the vector waited for its gate stops the vector without an effect. Compares before it
/// have none, and a value is fetched before it is stored: there the access itself finds out in
/// time.
///
/// - Returns: 0 when every operation ran, the index plus one of the compare that stopped the
///   vector, or `-EAGAIN` when an operand with `expect_fault` faulted.
func executeToleratingFaults(_ operations: UnsafePointer<cpu_op>, count: Int, cpu: Int) -> Int {
    var index = 0
    while index < count, !operations[index].expectsFault { index &+= 1 }
    if index == count { return executeOperations(operations, count: count, cpu: cpu) }

    var rest = 0
    while rest < count, !operations[rest].stores { rest &+= 1 }
    if rest < count {
        let copy = operations[rest].u.memcpy_op
        // Other operations than copies may be probed once more: it costs time only.
        if isScalar(copy.dst | copy.src, operations[rest].len) { rest &+= 1 }
    }
    var probe = OperandProbe()
    let error = probe.firstError(operations + rest, count: count &- rest, onlyExpected: true)
    if error != 0 { return -Int(error) }
    index = 0
    while index < count {
        let progress = executeToleratingFaults(operations[index])
        announce(operations[index], cpu: cpu, index: index, outcome: progress.rawValue)
        switch progress {
        case .goesOn: index &+= 1
        case .stops: return index &+ 1
        case .faulted: return -Int(EAGAIN)
        }
    }
    return 0
}

private enum Progress: Int32 {
    case goesOn = 1
    case stops = 0
    case faulted = -1
}

private func executeToleratingFaults(_ operation: cpu_op) -> Progress {
    guard operation.expectsFault, operation.len > 0 else { return execute(operation) ? .goesOn : .stops }
    percolate_compiler_barrier()
    switch cpu_op_type(UInt32(bitPattern: operation.op)) {
    case CPU_COMPARE_EQ_OP: return compareFetching(operation, stopsWhenEqual: false)
    case CPU_COMPARE_NE_OP: return compareFetching(operation, stopsWhenEqual: true)
    case CPU_MEMCPY_OP, CPU_MEMCPY_RELEASE_OP: return copyFetching(operation)
    default:
        // The other operations have one operand, at the same place in each of them.
        var probe = OperandProbe()
        guard probe.canAccess(operation.u.arithmetic_op.p, operation.len, .write) else { return .faulted }
        return execute(operation) ? .goesOn : .stops
    }
}

private func compareFetching(_ operation: cpu_op, stopsWhenEqual: Bool) -> Progress {
    var equal: Int32 = 0
    let compare = operation.u.compare_op
    switch percolate_fetch_and_compare(compare.a, compare.b, operation.len, &equal) {
    case PERCOLATE_FETCHED: return (equal != 0) == stopsWhenEqual ? .stops : .goesOn
    case PERCOLATE_FETCH_FAULTED: return .faulted
    default:
        var probe = OperandProbe()
        guard probe.canAccess(compare.a, operation.len, .read), probe.canAccess(compare.b, operation.len, .read) else {
            return .faulted
        }
        return execute(operation) ? .goesOn : .stops
    }
}

private func copyFetching(_ operation: cpu_op) -> Progress {
    let copy = operation.u.memcpy_op
    if copy.expect_fault_dst != 0 {
        var probe = OperandProbe()
        guard probe.canAccess(copy.dst, operation.len, .write) else { return .faulted }
    }
    guard copy.expect_fault_src != 0 else { return execute(operation) ? .goesOn : .stops }
    // The commit of a value is one store: so a value is fetched to the stack and stored from there.
    var word: UInt64 = 0
    return withUnsafeMutablePointer(to: &word) { word in
        var fetched = operation
        let isValue = isScalar(copy.dst | copy.src, operation.len)
        if isValue { fetched.u.memcpy_op.src = UInt64(UInt(bitPattern: word)) }
        let isRelease = operation.op == Int32(bitPattern: CPU_MEMCPY_RELEASE_OP.rawValue)
        if !isValue, isRelease { percolate_memory_barrier() }
        let target = isValue ? fetched.u.memcpy_op.src : copy.dst
        switch percolate_fetch(target, copy.src, operation.len) {
        case PERCOLATE_FETCHED:
            if isValue { _ = execute(fetched) }
            return .goesOn
        case PERCOLATE_FETCH_FAULTED: return .faulted
        default:
            var probe = OperandProbe()
            guard probe.canAccess(copy.src, operation.len, .read) else { return .faulted }
            _ = execute(operation)
            return .goesOn
        }
    }
}

extension cpu_op {
    /// Whether one of its operands says `expect_fault`.
    fileprivate var expectsFault: Bool {
        switch cpu_op_type(UInt32(bitPattern: op)) {
        case CPU_COMPARE_EQ_OP, CPU_COMPARE_NE_OP, CPU_MEMCPY_OP, CPU_MEMCPY_RELEASE_OP:
            u.memcpy_op.expect_fault_dst | u.memcpy_op.expect_fault_src != 0
        case CPU_LSHIFT_OP, CPU_RSHIFT_OP: u.shift_op.expect_fault_p != 0
        case CPU_MB_OP: false
        default: u.arithmetic_op.expect_fault_p != 0
        }
    }
}
