import CPercolate

/// Divides the words of a slab into regions of a power of two, one for each class that has
/// capacity.
///
/// A class grows by moving to a region twice as large; the old one waits in a list for another
/// class. The list's links lie in the regions themselves. Guarded by the lock of the cache.
struct SlabRegions {
    /// First word that no region has used.
    private(set) var top = 0
    /// First free region of each power of two; 0 for none.
    private var free = InlineArray<12, UInt16>(repeating: 0)

    mutating func clear() {
        top = Slab.firstWord
        for power in 0..<12 { free[power] = 0 }
    }

    /// The power of two that holds `capacity` words.
    @inline(__always)
    static func power(_ capacity: Int) -> Int {
        capacity <= 1 ? 0 : Int.bitWidth &- (capacity &- 1).leadingZeroBitCount
    }

    /// The position of a region of `1 << power` words; nil when the slab is full. `memory` is the
    /// slab's.
    mutating func allocate(power: Int, in slab: Slab, memory: inout Reservation) -> Int? {
        let reused = Int(free[power])
        if reused != 0 {
            free[power] = UInt16(truncatingIfNeeded: slab.words[reused])
            return reused
        }
        let size = 1 &<< power
        guard top &+ size <= Slab.words, memory.commit(UInt(top &+ size) &* 8, step: 8192) else { return nil }
        top &+= size
        return top &- size
    }

    mutating func give(_ position: Int, power: Int, in slab: Slab) {
        slab.words[position] = UInt64(free[power])
        free[power] = UInt16(truncatingIfNeeded: position)
    }
}
