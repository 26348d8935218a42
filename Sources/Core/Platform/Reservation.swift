import CPercolate

/// A range of addresses of which a growing front part can be used.
///
/// Reserved memory is `PROT_NONE`: it costs no memory, is not charged under `vm.overcommit_memory=2` or `RLIMIT_DATA`, and
/// `mlockall` does not populate it. `commit` makes a further part readable and writable.
struct Reservation {
    var address: UInt = 0
    var size: UInt = 0
    private(set) var committed: UInt = 0

    static var pageSize: UInt { 4096 }

    init() {}

    /// A part of a larger reservation.
    init(address: UInt, size: UInt) {
        self.address = address
        self.size = size
    }

    /// Reserves `size` bytes somewhere. Nil when the kernel refuses.
    static func reserve(_ size: UInt) -> Reservation? {
        let result = percolate_mmap(0, Int(size), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
        guard result > 0 else { return nil }
        return Reservation(address: UInt(result), size: size)
    }

    /// Makes the first `bytes` usable. Commits `step` bytes at once to save calls, less where the kernel refuses that much.
    mutating func commit(_ bytes: UInt, step: UInt = 65536) -> Bool {
        if bytes <= committed { return true }
        let needed = roundUp(bytes, Self.pageSize)
        guard needed <= size else { return false }
        let wanted = min(size, max(needed, committed &+ step))
        return extend(to: wanted) || extend(to: needed)
    }

    private mutating func extend(to end: UInt) -> Bool {
        let result = percolate_mprotect(address &+ committed, Int(end &- committed), PROT_READ | PROT_WRITE)
        guard result == 0 else { return false }
        percolate_add_committed_metadata(end &- committed)
        committed = end
        return true
    }
}

/// `value` rounded up to a multiple of `alignment`, a power of two.
@inline(__always)
func roundUp(_ value: UInt, _ alignment: UInt) -> UInt { (value &+ alignment &- 1) & ~(alignment &- 1) }
