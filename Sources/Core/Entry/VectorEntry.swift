import CPercolate
import Synchronization

/// The checked entry of operation vectors: everything that the `cpu_opv` system call checks, in its
/// order, and then the vector. The order matters to callers that ask with several wrong arguments
/// at once.
@c(percolate_run_vector)
public func runVector(
    _ vector: UnsafePointer<cpu_op>?, _ copy: UnsafeMutablePointer<cpu_op>, _ count: Int32, _ cpu: Int32,
    _ flags: Int32, _ which: percolate_vector_cpu
) -> Int {
    if flags == Int32(CPU_OP_NR_FLAG.rawValue) { return Int(NR_CPU_OPS.rawValue) }
    if flags == Int32(CPU_OP_VEC_LEN_MAX_FLAG.rawValue) { return Int(CPU_OP_VEC_LEN_MAX) }
    guard flags == 0 else { return -Int(EINVAL) }
    guard cpu >= 0, count >= 0, count <= CPU_OP_VEC_LEN_MAX else { return -Int(EINVAL) }

    let room = UInt64(UInt(bitPattern: copy))
    var probe = OperandProbe(
        caller: room, bytes: UInt64(CPU_OP_VEC_LEN_MAX) &* UInt64(MemoryLayout<cpu_op>.stride))
    let source = UInt64(UInt(bitPattern: vector))
    let bytes = UInt32(count) &* UInt32(MemoryLayout<cpu_op>.stride)
    guard probe.canAccess(source, bytes, .read) else { return -Int(EFAULT) }
    percolate_operand_copy(room, source, bytes)

    guard isWellFormed(copy, count: Int(count)) else { return -Int(EINVAL) }
    let error = probe.firstError(copy, count: Int(count))
    guard error == 0 else { return -Int(error) }
    guard publicGates.isPossible(Int(cpu)) else { return -Int(EINVAL) }
    // The start decides whether gates can be opened. In a signal handler that interrupts it they
    // are closed, and the vector needs its lock only. Around vfork the thread's rseq area is
    // another task's: the child is taken for its parent, wherever it runs.
    let knowsItsCPU = Heap.ensureStarted() && !FrontEnd.isSuspended
    guard which != PERCOLATE_VECTOR_ALLOWED_CPU || mayRun(on: Int(cpu), knowsItsCPU) else { return -Int(EINVAL) }
    var visit = percolate_visit()
    Visit.begin(&visit)
    defer { Visit.end(&visit) }
    let trace = VectorTrace(beginning: source, count: Int(count), cpu: Int(cpu), origin: .callers)
    let kind = which == PERCOLATE_VECTOR_MM_CID ? PERCOLATE_GATE_OF_MM_CID : PERCOLATE_GATE_OF_CPU
    let result =
        count == 0 ? 0 : publicGates.run(copy, count: Int(count), behind: Int(cpu), of: kind, locally: knowsItsCPU)
    trace.end(result)
    return result
}

/// Whether the calling thread's affinity lets it run on `cpu`. Where it runs now it may run, which
/// saves the question.
///
/// - Parameter knowsItsCPU: whether its rseq area, if it has one, says where it runs.
private func mayRun(on cpu: Int, _ knowsItsCPU: Bool) -> Bool {
    let sequences = FrontEnd.sequences
    let isRegistered = knowsItsCPU && sequences.registration != .none
    let current = isRegistered ? percolate_rseq_field(sequences.cpuOffset) : percolate_getcpu()
    if Int(current) == cpu { return true }
    var mask = InlineArray<128, UInt64>(repeating: 0)
    let bytes = withUnsafeMutablePointer(to: &mask) {
        percolate_getaffinity(1024, UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self))
    }
    return cpu < bytes &* 8 && mask[cpu >> 6] & (1 << UInt64(cpu & 63)) != 0
}

/// One more than the highest CPU number that the machine may use: below it lie all that vectors may
/// name.
@c(percolate_count_cpus)
public func percolateCountCPUs() -> Int32 { Int32(truncatingIfNeeded: publicGates.count) }

/// Whether sections may be indexed by concurrency ids.
@c(percolate_knows_mm_cid)
public func percolateKnowsMMCID() -> Bool { Heap.ensureStarted() && publicGates.haveMMCID }
