import CPercolate

/// How many free pages stay resident.
///
/// **The rule.** Free pages stay as long as the program keeps using them again. What stayed unused
/// throughout a period goes back, and no allocation that finds no room among them makes the process
/// larger: for each clean page that it takes, a free one goes.
///
/// Some free pages stay in any case (`kept`): 1 MiB, a thirty-second of the pages in use, and what
/// the program wanted back within 50 ms of its release. *Wanted back soon* is what tells a buffer
/// that is freed and allocated for each frame from a wave of work that ends: a release costs about
/// as much as the page faults that follow it, so a page that comes back every 50 ms or later spends
/// most of its time with the program, and a page that comes back sooner would spend it with the
/// kernel. `wanted` has a bound, so no history makes an idle program large.
///
/// A program may build and drop its data in a slower rhythm (a garbage collector does). Once most
/// of what went back was wanted within a second, three times in a row, that rhythm is expected to
/// go on: what comes back within a second is kept as well, 32 MiB of it or a quarter of what a turn
/// frees, and a period is a second.
///
/// Periods are ticks of the scavenger (`Scavenger`). A process of one thread has none, and what it
/// does not release while it frees may stay for ever. There a period ends with the first free after
/// 100 ms, and no more than twice what is in use stays in between: while a program frees all that
/// it has, free runs grow together and go back in few system calls.
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
    private(set) var releasedTotal: UInt64 = 0

    /// Fewest resident free pages in this period, and when the period began.
    private var lowest = 0
    private var periodStart: UInt64 = 0
    /// Pages that the releases of this turn gave back, how many of them nobody took since, and when
    /// the last one was.
    private var turn = 0
    private var returned = 0
    private var returnedAt: UInt64 = 0
    /// Turns in a row after which most pages came back within a second.
    private var turns = 0
    /// Pages that stay because the program wanted as many back soon.
    private var wanted = 0
    /// Clean pages that were taken while free ones were resident.
    private var debt = 0
    /// Whether nothing was taken since the last tick, and whether the kernel refused the last
    /// release.
    private var isQuiet = false
    private var isRefused = false

    /// Milliseconds of a period without a scavenger.
    private var period: UInt64 { isRhythmic ? Self.slowestTurn : 100 }
    /// Milliseconds within which a page that comes back should have stayed.
    private static var soon: UInt64 { 50 }
    /// The same in a rhythm.
    private static var slowestTurn: UInt64 { 1000 }
    /// Whether the program builds and drops its data in turns.
    private var isRhythmic: Bool { turns >= 3 }
    /// Pages kept in any case: 1 MiB while the program runs, less at a tick.
    private static var floor: Int { 256 }
    private static var idleFloor: Int { 64 }
    /// Most pages that `wanted` counts: 96 MiB.
    private static var mostWanted: Int { 24576 }
    /// Pages that a rhythm keeps however few a turn frees: 32 MiB.
    private static var mostForSmallTurns: Int { 8192 }
    /// Pages beyond `kept` that make a release worth its system calls.
    private static var slack: Int { 128 }
    /// Pages of a run that is worth a system call of its own.
    static var longRun: Int { 32 }

    /// Where the counts of pages are, for observers.
    mutating func countAddresses() -> (resident: UInt, released: UInt) {
        (addressOf(&resident), addressOf(&releasedTotal))
    }

    private func kept(_ inUse: Int) -> Int { Self.floor &+ inUse / 32 &+ wanted }

    /// Whether `take` needs to know the time.
    var mayRegret: Bool { returned > 0 }

    /// The program takes pages, of which `dirty` were resident.
    mutating func take(pages: Int, dirty: Int, at milliseconds: UInt64) {
        isQuiet = false
        isRefused = false
        withdraw(pages: dirty)
        let clean = pages &- dirty
        guard clean > 0 else { return }
        if returned > 0 { regret(clean, at: milliseconds) }
        if resident > Self.floor &+ wanted { debt &+= clean }
    }

    /// Pages that came back soon should have stayed.
    private mutating func regret(_ clean: Int, at milliseconds: UInt64) {
        let age = milliseconds &- returnedAt
        guard age <= Self.slowestTurn else {
            forgetTurn()
            turns = 0
            return
        }
        let again = min(clean, returned)
        returned &-= again
        let isSoon = age <= Self.soon
        guard isSoon || isRhythmic else { return }
        let most = isSoon ? Self.mostWanted : min(Self.mostWanted, max(Self.mostForSmallTurns, turn / 4))
        wanted = max(wanted, min(wanted &+ again, most))
    }

    private mutating func forgetTurn() {
        turn = 0
        returned = 0
    }

    /// Resident pages are free no more: the program takes them, or a release gives them to the
    /// kernel.
    mutating func withdraw(pages: Int) {
        resident &-= pages
        lowest = min(lowest, resident)
    }

    /// Pages came free, or became resident with others that a huge page backs.
    mutating func give(pages: Int) {
        isRefused = false
        resident &+= pages
    }

    /// What is counted is counted anew, after a thread was lost in the arena. What was learned
    /// starts again.
    mutating func reset(resident: Int) {
        let before = self
        self = Retention()
        policy = before.policy
        isScavenged = before.isScavenged
        releasedTotal = before.releasedTotal
        self.resident = resident
        lowest = resident
    }

    /// A release gave pages to the kernel.
    mutating func release(pages: Int, at milliseconds: UInt64) {
        let age = milliseconds &- returnedAt
        if age > Self.soon {
            turns = age <= Self.slowestTurn && returned < turn / 2 ? turns &+ 1 : 0
            forgetTurn()
        }
        turn &+= pages
        returned &+= pages
        returnedAt = milliseconds
        releasedTotal &+= UInt64(pages)
    }

    /// The kernel kept pages that were to be released (they are locked): do not ask again soon.
    mutating func refuse(pages: Int) {
        resident &+= pages
        wanted = min(wanted &+ pages, Int.max / 2)
        isRefused = true
    }

    /// What to release now, after pages came free. `milliseconds` is the time.
    mutating func demand(inUse: Int, at milliseconds: UInt64) -> Demand {
        switch policy {
        case .never: return .none
        case .lazy:
            let most = kept(inUse) &+ inUse
            return Demand(pages: resident > most &+ 16384 ? resident &- most : 0, shortestRun: 1)
        case .prompt: break
        }
        if isScavenged { return .none }
        let most = Self.slack &+ 2 &* inUse
        var excess = resident &- kept(inUse)
        // A part of it at a time: who frees a block must not wait for the release of half the heap.
        if excess > most { return Demand(pages: excess &- most &+ most / 16, shortestRun: 1) }
        guard milliseconds &- periodStart >= period else { return .none }
        excess = endPeriod() &- kept(inUse)
        periodStart = milliseconds
        // Holes between used pages wait until they are many: they are often used again, and each
        // costs a system call.
        let shortest = excess > Self.slack &+ inUse / 16 ? 1 : Self.longRun
        return excess > Self.slack ? Demand(pages: excess, shortestRun: shortest) : .none
    }

    /// Begins a period. Pages that were free throughout the last one; nobody wanted as many of
    /// them.
    private mutating func endPeriod() -> Int {
        let unused = lowest
        lowest = resident
        wanted = max(0, wanted &- max(unused &- Self.floor, 0))
        return unused
    }

    /// What to release for the clean pages that the program took: the sum of resident pages stays.
    mutating func payDebt(inUse: Int) -> Demand {
        guard debt >= Self.slack, policy == .prompt else { return .none }
        let excess = resident &- kept(inUse)
        let pages = min(debt, max(excess, 0))
        debt = 0
        return Demand(pages: pages, shortestRun: excess > inUse / 16 ? 1 : Self.longRun / 4)
    }

    /// A tick of the scavenger: what stayed unused since the last one, but for what is wanted,
    /// which is nothing once the program takes no pages.
    mutating func tick() -> Demand {
        guard policy == .prompt else { return .none }
        let unused = endPeriod() &- Self.idleFloor
        if isQuiet { wanted = 0 }
        let pages = isRefused ? 0 : max(unused &- wanted, 0)
        lowest = resident &- pages
        isQuiet = true
        return Demand(pages: pages, shortestRun: 1)
    }

    /// Whether ticks would change nothing as long as the program does nothing.
    var isAtRest: Bool { policy != .prompt || resident <= Self.idleFloor || isRefused }
}
