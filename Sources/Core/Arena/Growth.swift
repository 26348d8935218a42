import CPercolate

/// More pages of the window become usable.
///
/// The arena's lock is held for bit work only. A thread that needs more pages takes the lock of
/// growth. It plans under the arena's lock, makes the system calls without it, and takes it again
/// to put the pages in. Meanwhile other threads allocate and free. They wait only if they need more
/// pages too.
struct Growth {
    /// Pages of the last request that the free tail of the arena lacks, and all of them.
    private let missing: Int
    private let count: Int
    private let first: Int
    private let limit: Int
    private let base: UInt
    private let backing: Arena.Backing
    /// Where huge pages are on, steps end with a chunk: one that is not usable as a whole gets
    /// none.
    private let roundsUp: Bool

    /// Most pages committed beyond what a request needs, and fewest.
    private static var largestStep: Int { 8192 }
    private static var smallestStep: Int { 64 }

    /// Plans room for a run of `count` pages.
    init(of count: Int, in arena: borrowing Arena) {
        self.count = count
        missing = count &- arena.freeTail
        first = arena.committed
        limit = arena.limit
        base = arena.base
        backing = arena.backing
        roundsUp = arena.hugePages.isOn
    }

    /// Makes pages usable. Those that are; nil when the window or the kernel has no more.
    ///
    /// - Parameter prepare: makes the metadata of so many pages usable; false when the kernel
    ///   refuses.
    func run(_ prepare: (Int) -> Bool) -> Range<Int>? {
        let step = max(missing, min(max(Self.smallestStep, first / 4), Self.largestStep))
        let wanted = roundsUp ? roundUp(first &+ step, Chunk.pages) &- first : step
        return commit(wanted, prepare) ?? commit(missing, prepare)
    }

    private func commit(_ wanted: Int, _ prepare: (Int) -> Bool) -> Range<Int>? {
        var start = first
        while true {
            // Behind something in the way the free tail does not count.
            let needed = Arena.wholeSystemPages(start == first ? wanted : max(wanted, count))
            let pages = start..<(start &+ needed)
            guard pages.upperBound <= limit, prepare(pages.upperBound) else { return nil }
            let address = base &+ UInt(start) &<< UInt(PERCOLATE_PAGE_SHIFT)
            let bytes = needed &<< Int(PERCOLATE_PAGE_SHIFT)
            switch backing {
            case .reserved: return Reservation.makeUsable(address, bytes) ? pages : nil
            case .pieces:
                let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
                let result = percolate_mmap(address, bytes, PROT_READ | PROT_WRITE, flags)
                if result == -Int(EEXIST) {
                    start = (start / Chunk.pages &+ 1) &* Chunk.pages
                    continue
                }
                guard result > 0 else { return nil }
                guard UInt(result) == address else {
                    _ = percolate_munmap(UInt(result), bytes)
                    return nil
                }
                return pages
            }
        }
    }
}
