import CPercolate

/// How many pages the heap may have. In pages; `Int.max` is no limit.
struct MemoryLimits {
    /// No allocation may bring the pages in use above this number.
    var hard = Int.max
    /// Pages in use and free resident pages together stay below this number, as far as there is
    /// something to release. A heap that needs more gets it.
    var soft = Int.max
    /// The same for the memory control group of the process, less what the group needs beside this
    /// heap.
    var group = Int.max

    /// The pages that `bytes` hold.
    static func pages(_ bytes: UInt64) -> Int {
        Int(min(bytes &>> UInt64(PERCOLATE_PAGE_SHIFT), UInt64(Int.max)))
    }

    func allow(_ count: Int, inUse: Int) -> Bool { inUse < hard && count <= hard &- inUse }

    /// Pages to release before `count` clean pages are touched.
    func excess(_ count: Int, inUse: Int, resident: Int) -> Int {
        let target = min(soft, group)
        guard target < Int.max else { return 0 }
        return min(max(inUse &+ resident &+ count &- target, 0), resident)
    }
}

/// Reads the limit of the memory control group, at most once a second, and never once the process
/// restricts its system calls: then what was read at start holds. The caller has the lock of
/// growth.
func refreshGroupLimit() {
    let now = percolate_milliseconds()
    let age = now &- arenaState.pointee.groupReadAt
    guard age >= 1000, percolate_is_restricted() == 0 else { return }
    arenaState.pointee.groupReadAt = now
    arena.limits.group = groupTarget()
}

/// Pages that the heap may have so that its group stays a sixteenth below the limit, whatever else
/// is in the group.
private func groupTarget() -> Int {
    guard let group = MemoryGroup.read(), group.limit < Int.max else { return Int.max }
    let allowed = (group.limit &- group.limit / 16) &>> Int(PERCOLATE_PAGE_SHIFT)
    let own = arena.inUse &+ arena.retention.resident
    let others = max(group.used &>> Int(PERCOLATE_PAGE_SHIFT) &- own, 0)
    return max(allowed &- others, 256)
}
