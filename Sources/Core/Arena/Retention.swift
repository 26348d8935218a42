import CPercolate

/// How many free pages stay resident, and which are worth a system call.
///
/// Without a scavenger, in a process of one thread, pages go back at the moment they come free: whatever exceeds `allowance`. That is
/// small to begin with, and grows by what the program proves it wants back: pages that were released and soon asked for again. So a
/// block freed and allocated in a loop faults twice and then no more, while a program that frees for good keeps almost nothing. At
/// the end of each period the allowance shrinks by the pages that stayed unused throughout it. Long runs go first: a page that is free
/// between used ones is often asked for again, or joins a longer run soon, and costs a system call of its own.
///
/// With a scavenger (`Scavenger`), free pages wait for its ticks: it releases those that stayed unused for a whole period, which becomes
/// longer while the program keeps asking for what was released, and ends when it asks for no page at all. At once goes only as much as the program takes of fresh pages, so that
/// waiting never raises the peak.
///
/// Guarded by the arena's lock.
struct Retention {
    /// Pages to release now, and the shortest run that may be released for it.
    struct Demand: Equatable {
        var pages: Int
        var shortestRun: Int

        static var none: Demand { Demand(pages: 0, shortestRun: 1) }
    }

    var policy = Options.Release.prompt
    /// Whether a scavenger calls `tick`.
    var isScavenged = false
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
    /// Resident free pages when a search found no long run: until there are more, there is no use in another.
    private var searchedAt = 0
    /// Fresh pages taken while more than the allowance was free and resident.
    private var debt = 0

    /// Ticks that pages must stay unused before the scavenger releases them, and ticks since the period began.
    private var patience = 1
    private var ticks = 0
    /// Ticks since the program last took a page, and resident free pages at the last tick.
    private var quietTicks = 0
    private var residentAtTick = 0
    /// Pages that the last tick with a release released, and how many of them were asked for since.
    private var tickReleased = 0
    private var tickReclaimed = 0
    /// Whether the kernel refused the last release, and the program neither took nor gave a page since.
    private var isRefused = false

    /// Milliseconds of a period without a scavenger.
    private static var period: UInt64 { 1000 }
    /// Pages kept in any case: 1 MiB while the program runs, less once it is idle.
    private static var floor: Int { 256 }
    private static var idleFloor: Int { 64 }
    /// Pages beyond the allowance that make a release worth its system calls.
    private static var slack: Int { 64 }
    /// Pages of a run that is worth a system call of its own.
    static var longRun: Int { 32 }
    /// Ticks without a page taken after which the program counts as idle, however long pages had to stay unused before.
    private static var idleTicks: Int { 2 }
    /// Most ticks that pages may have to stay unused.
    private static var longestPatience: Int { 16 }

    /// Where the counts of pages are, for observers.
    mutating func countAddresses() -> (resident: UInt, released: UInt) {
        (addressOf(&resident), addressOf(&releasedTotal))
    }

    private var allowance: Int { Self.floor &+ inUse / 32 &+ learned }

    mutating func took(pages: Int, dirty: Int) {
        quietTicks = 0
        isRefused = false
        let fresh = pages &- dirty
        if fresh > 0, resident > allowance { debt &+= fresh }
        withdrew(pages: dirty)
        let again = min(fresh, recentlyReleased)
        recentlyReleased &-= again
        learned &+= again
        tickReclaimed &+= fresh
    }

    /// Resident pages are free no more: the program took them, or a release is about to give them to the kernel.
    mutating func withdrew(pages: Int) {
        resident &-= pages
        lowest = min(lowest, resident)
        searchedAt = min(searchedAt, resident)
    }

    mutating func gave(pages: Int, highest: Int, inUse: Int) {
        self.inUse = inUse
        isRefused = false
        populated(pages: pages, highest: highest)
    }

    /// What is counted is counted anew, after a thread was lost in the arena. What was learned starts again.
    mutating func reset(resident: Int, highest: Int, inUse: Int) {
        let before = self
        self = Retention()
        policy = before.policy
        isScavenged = before.isScavenged
        releasedTotal = before.releasedTotal
        self.resident = resident
        highestDirty = highest
        lowest = resident
        self.inUse = inUse
    }

    /// Free pages became resident with others, which a huge page backs.
    mutating func populated(pages: Int, highest: Int) {
        resident &+= pages
        highestDirty = max(highestDirty, highest)
    }

    mutating func released(pages: Int) {
        recentlyReleased &+= pages
        releasedTotal &+= UInt64(pages)
    }

    /// The kernel kept pages that were to be released (they are locked): do not ask again soon.
    mutating func refused(pages: Int) {
        learned &+= pages
        isRefused = true
    }

    mutating func noneDirty() {
        highestDirty = 0
        resident = 0
    }

    mutating func noLongRun() { searchedAt = resident &+ Self.slack }

    /// What to release now, after pages came free. `milliseconds` is the time.
    mutating func demand(_ milliseconds: UInt64) -> Demand {
        switch policy {
        case .never: return .none
        case .lazy:
            let kept = allowance &+ inUse
            return Demand(pages: resident > kept &+ 16384 ? resident &- kept : 0, shortestRun: 1)
        case .prompt: break
        }
        if isScavenged { return payDebt() }
        if milliseconds &- periodStart >= Self.period {
            periodStart = milliseconds
            learned = max(0, learned &- max(lowest &- Self.floor, 0))
            lowest = resident
            recentlyReleased = 0
        }
        let excess = resident &- allowance
        if excess > Self.slack &+ inUse / 16 { return Demand(pages: excess, shortestRun: 1) }
        if excess > Self.slack, resident > searchedAt { return Demand(pages: excess, shortestRun: Self.longRun) }
        return .none
    }

    /// As many pages as were fresh: the sum of resident pages stays.
    private mutating func payDebt() -> Demand {
        guard debt >= Self.slack else { return .none }
        let pages = min(debt, max(resident &- allowance, 0))
        debt = 0
        return Demand(pages: pages, shortestRun: Self.longRun / 4)
    }

    /// A tick of the scavenger: what stayed unused for long enough.
    mutating func tick() -> Demand {
        ticks &+= 1
        quietTicks &+= 1
        let isIdle = quietTicks > Self.idleTicks
        guard policy == .prompt, ticks >= patience || isIdle else {
            residentAtTick = resident
            return .none
        }
        if tickReleased > 0 {
            // Whoever asks for half of it again would have been better off without the release.
            let isWanted = tickReclaimed > tickReleased / 2
            patience = isWanted ? min(patience &* 2, Self.longestPatience) : max(patience / 2, 1)
        }
        ticks = 0
        // Of an idle program, pages that were free at the last tick are unused since then: the period began before, in busier times.
        let unused = isIdle ? min(residentAtTick, resident) : lowest
        let pages = max(unused &- Self.idleFloor, 0)
        lowest = resident &- pages
        residentAtTick = lowest
        tickReleased = pages
        tickReclaimed = 0
        learned = 0
        recentlyReleased = 0
        return Demand(pages: pages, shortestRun: 1)
    }

    /// Whether ticks would change nothing as long as the program does nothing.
    var isAtRest: Bool { policy != .prompt || resident <= Self.idleFloor || isRefused }
}
