import CPercolate

/// How many free pages stay resident.
///
/// A page goes back to the kernel when the resident free pages exceed `allowance`. That is small to begin with, and grows
/// by what the program proves it wants back: pages that were released and soon asked for again. So a block freed and
/// allocated in a loop faults twice and then no more, while a program that frees for good keeps almost nothing. At the
/// end of each period the allowance shrinks by the pages that stayed unused throughout it. Guarded by the arena's lock.
struct Retention {
    var policy = Options.Release.prompt
    /// Free pages that may be resident.
    private(set) var resident = 0
    /// No page above this one is free and resident.
    var highestDirty = 0
    private(set) var releasedTotal: UInt64 = 0

    /// Pages granted because the program asked for released pages again.
    private var learned = 0
    /// Pages released in this period and not asked for since.
    private var recentlyReleased = 0
    /// Fewest resident free pages in this period.
    private var lowest = 0
    private var periodStart: UInt64 = 0
    private var inUse = 0

    /// Milliseconds of a period.
    private static var period: UInt64 { 1000 }
    /// Pages kept in any case: 1 MiB.
    private static var floor: Int { 256 }
    /// Pages beyond the allowance that make a release worth its system calls.
    private static var slack: Int { 64 }

    private var allowance: Int { Self.floor &+ inUse / 32 &+ learned }

    mutating func took(pages: Int, dirty: Int) {
        resident &-= dirty
        lowest = min(lowest, resident)
        let again = min(pages &- dirty, recentlyReleased)
        recentlyReleased &-= again
        learned &+= again
    }

    mutating func gave(pages: Int, highest: Int, inUse: Int) {
        resident &+= pages
        self.inUse = inUse
        highestDirty = max(highestDirty, highest)
    }

    mutating func released(pages: Int) {
        recentlyReleased &+= pages
        releasedTotal &+= UInt64(pages)
    }

    /// The kernel kept pages that were to be released (they are locked): do not ask again soon.
    mutating func refused(pages: Int) { learned &+= pages }

    mutating func noneDirty() {
        highestDirty = 0
        resident = 0
    }

    /// How many pages to release now. `milliseconds` is the time.
    mutating func excess(_ milliseconds: UInt64) -> Int {
        switch policy {
        case .never: return 0
        case .lazy: return resident > allowance &+ inUse &+ 16384 ? resident &- allowance &- inUse : 0
        case .prompt: break
        }
        if milliseconds &- periodStart >= Self.period {
            periodStart = milliseconds
            learned = max(0, learned &- max(lowest &- Self.floor, 0))
            lowest = resident
            recentlyReleased = 0
        }
        return resident > allowance &+ Self.slack ? resident &- allowance : 0
    }
}
