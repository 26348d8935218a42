import CPercolate
import Synchronization

/// A range of addresses of which a growing front part can be used.
///
/// Reserved memory is `PROT_NONE`: it costs no memory, is not charged under
/// `vm.overcommit_memory=2` or `RLIMIT_DATA`, `mlockall` does not populate it, and core dumps leave
/// it out. `commit` makes a further part readable and writable.
struct Reservation {
    var address: UInt = 0
    var size: UInt = 0
    private(set) var committed: UInt = 0

    /// The kernel's pages. Sizes and addresses of reservations are multiples of it.
    static var pageSize: UInt { percolate_system_page() }

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
        _ = percolate_madvise(UInt(result), Int(size), MADV_DONTDUMP)
        return Reservation(address: UInt(result), size: size)
    }

    /// Gives memory a name that /proc/PID/maps shows, where the kernel keeps names.
    static func name(_ address: UInt, _ bytes: UInt, _ name: StaticString) {
        percolate_name_memory(
            address, Int(bytes), UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self))
    }

    /// Makes the first `bytes` usable. Commits `step` bytes at once to save calls, less where the
    /// kernel refuses that much.
    mutating func commit(_ bytes: UInt, step: UInt = 65536) -> Bool {
        if bytes <= committed { return true }
        let needed = roundUp(bytes, Self.pageSize)
        guard needed <= size else { return false }
        let wanted = min(size, max(needed, roundUp(committed &+ step, Self.pageSize)))
        return extend(to: wanted) || extend(to: needed)
    }

    private mutating func extend(to end: UInt) -> Bool {
        guard Self.makeUsable(address &+ committed, Int(end &- committed)) else { return false }
        let address = addressOf(&platformState.pointee.committedMetadata)
        let sum: UnsafeMutablePointer<Atomic<UInt64>> = pointer(address)
        sum.pointee.wrappingAdd(UInt64(end &- committed), ordering: .relaxed)
        committed = end
        return true
    }

    /// Makes reserved addresses readable and writable, and part of core dumps. False when the
    /// kernel refuses.
    static func makeUsable(_ address: UInt, _ bytes: Int) -> Bool {
        guard percolate_mprotect(address, bytes, PROT_READ | PROT_WRITE) == 0 else { return false }
        _ = percolate_madvise(address, bytes, MADV_DODUMP)
        return true
    }

    /// The reverse: the kernel takes the memory back, and charges nothing for the addresses.
    static func makeUnusable(_ address: UInt, _ bytes: Int) {
        _ = percolate_madvise(address, bytes, MADV_DONTNEED)
        _ = percolate_mprotect(address, bytes, PROT_NONE)
        _ = percolate_madvise(address, bytes, MADV_DONTDUMP)
    }

    /// Gives the memory of the kernel's pages that lie wholly in a range back: they read as zero.
    /// The rest stays as it is.
    static func discard(_ address: UInt, _ bytes: UInt) {
        let first = roundUp(address, pageSize)
        let end = (address &+ bytes) & ~(pageSize &- 1)
        if first < end { _ = percolate_madvise(first, Int(end &- first), MADV_DONTNEED) }
    }

    /// Gives the addresses behind the first `bytes` back, but for those that are committed.
    mutating func truncate(to bytes: UInt) {
        let kept = max(roundUp(bytes, Self.pageSize), committed)
        guard kept < size else { return }
        _ = percolate_munmap(address &+ kept, Int(size &- kept))
        size = kept
    }
}

/// `value` rounded up to a multiple of `alignment`, a power of two.
@inline(__always)
func roundUp<Number: FixedWidthInteger>(_ value: Number, _ alignment: Number) -> Number {
    (value &+ alignment &- 1) & ~(alignment &- 1)
}

/// Whether a block at `address` may have been asked for at a multiple of `alignment`: no other
/// alignment than a power of two is anybody's.
@inline(__always)
func isMultiple(_ address: UInt, of alignment: UInt) -> Bool {
    let low = alignment &- 1
    return alignment != 0 && alignment & low == 0 && address & low == 0
}
