import CPercolate

/// What the kernel says of the CPUs of the calling thread (sched_getaffinity(2)).
struct Affinity {
    /// CPUs that the thread may run on, at least 1.
    private(set) var allowed = 1
    /// CPU numbers that the kernel may ever use: the length of its masks. The most there are where
    /// it refuses to say.
    private(set) var numbers = Int(PERCOLATE_MAX_CPUS)

    static func current() -> Affinity {
        var result = Affinity()
        var mask = InlineArray<128, UInt64>(repeating: 0)
        let bytes = withUnsafeMutablePointer(to: &mask) {
            percolate_getaffinity(1024, UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self))
        }
        guard bytes > 0 else { return result }
        var sum = 0
        for word in 0..<(bytes / 8) { sum &+= mask[word].nonzeroBitCount }
        result.allowed = max(sum, 1)
        result.numbers = min(bytes &* 8, Int(PERCOLATE_MAX_CPUS))
        return result
    }
}
