import CPercolate

/// What tracers see of one vector from outside: that it begins, and with which result and how long
/// after it ends.
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
