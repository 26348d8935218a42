import CPercolate

/// What the memory control group of the process allows: the kernel kills a process of a group that
/// needs more.
///
/// The limits of all groups from the process's own up to the root count, as far as they can be
/// seen: in a container the own group is often mounted as the root.
struct MemoryGroup {
    /// Bytes that the tightest group allows. `Int.max` where there is no limit.
    private(set) var limit = Int.max
    /// Bytes of anonymous memory in the tightest group, of all its processes.
    private(set) var used = 0

    /// Reads the limits; nil where the process is in no group with a memory controller. One thread
    /// at a time.
    ///
    /// - Parameter root: the folder in which /proc and /sys are, for tests; nil for the system's
    ///   own.
    static func read(below root: UnsafePointer<CChar>? = nil) -> MemoryGroup? {
        var group = percolate_memory_group()
        var empty: CChar = 0
        let isFound = withUnsafePointer(to: &empty) { percolate_read_memory_group(root ?? $0, &group) }
        return isFound ? MemoryGroup(limit: Int(group.limit), used: Int(group.used)) : nil
    }
}
