import Testing

@testable import PercolateCoreHosted

/// How many free pages stay: little, unless the program wants them back.
@Suite struct RetentionTests {
    /// The rule under test, and what the arena does by it.
    private final class Keeper {
        var retention = Retention()

        func demand(_ time: UInt64) -> Retention.Demand { retention.demand(time) }
        func excess(_ time: UInt64) -> Int { demand(time).pages }
        func gave(_ pages: Int, inUse: Int = 0) { retention.gave(pages: pages, highest: pages, inUse: inUse) }
        func noLongRun() { retention.noLongRun() }

        /// A tick of the scavenger, and the release it asks for. Returns the number of pages.
        func tick() -> Int {
            let pages = retention.tick().pages
            if pages > 0 { release(pages) }
            return pages
        }

        private func release(_ pages: Int) {
            retention.withdrew(pages: pages)
            retention.released(pages: pages)
        }

        /// `pages` come free, and the excess is released. Returns the number of pages released.
        func free(_ pages: Int, at time: UInt64, inUse: Int = 0) -> Int {
            retention.gave(pages: pages, highest: pages, inUse: inUse)
            let excess = excess(time)
            if excess > 0 { release(excess) }
            return excess
        }

        /// The program takes `pages`, of which those that are resident first.
        func allocate(_ pages: Int) { retention.took(pages: pages, dirty: min(pages, retention.resident)) }
    }

    @Test func aMegabyteStays() {
        let keeper = Keeper()
        #expect(keeper.free(256, at: 1) == 0)
        #expect(keeper.retention.resident == 256)
    }

    @Test func aBigFreeGoesBackAtOnce() {
        let keeper = Keeper()
        #expect(keeper.free(100_000, at: 1) == 100_000 - 256)
        #expect(keeper.retention.resident == 256)
        #expect(keeper.retention.releasedTotal == 100_000 - 256)
    }

    @Test func aLargeProgramMayKeepMore() {
        let keeper = Keeper()
        #expect(keeper.free(100_000, at: 1, inUse: 320_000) == 100_000 - 256 - 10_000)
    }

    @Test func whatIsAllocatedAgainStopsBeingReleased() {
        let keeper = Keeper()
        var releases: [Int] = []
        for turn in 0..<20 {
            // Over many periods.
            releases.append(keeper.free(5000, at: UInt64(turn * 700)))
            keeper.allocate(5000)
        }
        #expect(releases[0] == 5000 - 256)
        #expect(releases[1...].allSatisfy { $0 == 0 }, "\(releases)")
    }

    @Test func whatStaysUnusedForAPeriodIsReleasedAfterAll() {
        let keeper = Keeper()
        _ = keeper.free(5000, at: 1)
        keeper.allocate(5000)
        #expect(keeper.free(5000, at: 2) == 0, "it was wanted back")
        // The period in which it was used ends, then one in which nobody asks for it.
        #expect(keeper.excess(1100) == 0)
        #expect(keeper.excess(1900) == 0)
        #expect(keeper.excess(2200) == 5000 - 256)
    }

    @Test func nothingIsReleasedWhenTheUserSaysNever() {
        let keeper = Keeper()
        keeper.retention.policy = .never
        #expect(keeper.free(1_000_000, at: 1) == 0)
        #expect(keeper.excess(100_000) == 0)
    }

    @Test func lazyReleaseKeepsAsMuchAsIsInUse() {
        let keeper = Keeper()
        keeper.retention.policy = .lazy
        #expect(keeper.free(16_000, at: 1, inUse: 1000) == 0)
        let kept = 256 + 1000 / 32 + 1000
        #expect(keeper.free(50_000, at: 2, inUse: 1000) == 66_000 - kept)
    }

    @Test func lockedMemoryIsNotAskedForAgain() {
        let keeper = Keeper()
        keeper.retention.gave(pages: 5000, highest: 5000, inUse: 0)
        let excess = keeper.excess(1)
        #expect(excess == 5000 - 256)
        keeper.retention.withdrew(pages: excess)
        keeper.retention.gave(pages: excess, highest: 5000, inUse: 0)
        keeper.retention.refused(pages: excess)
        #expect(keeper.excess(2) == 0)
        #expect(keeper.retention.releasedTotal == 0)
    }

    @Test func lockedMemoryDoesNotKeepTheScavengerAwake() {
        let keeper = Keeper()
        keeper.retention.isScavenged = true
        keeper.gave(5000)
        #expect(keeper.retention.tick().pages == 0 && !keeper.retention.isAtRest)
        let pages = keeper.retention.tick().pages
        #expect(pages == 5000 - 64)
        keeper.retention.withdrew(pages: pages)
        keeper.gave(pages)
        keeper.retention.refused(pages: pages)
        #expect(keeper.retention.isAtRest)
        keeper.gave(1)
        #expect(!keeper.retention.isAtRest, "these may be unlocked")
    }

    @Test func whatCameFreeSinceTheLastTickOfAnIdleProgramStays() {
        let keeper = Keeper()
        keeper.retention.isScavenged = true
        keeper.gave(5000)
        for _ in 0..<3 { _ = keeper.tick() }
        #expect(keeper.retention.resident == 64)
        keeper.gave(5000)
        #expect(keeper.tick() == 0, "free for less than a period")
        #expect(keeper.tick() == 5000)
    }

    @Test func longRunsGoBeforeShortOnes() {
        let keeper = Keeper()
        keeper.gave(400, inUse: 16000)
        let allowance = 256 + 500
        #expect(keeper.excess(1) == 0)
        keeper.gave(500, inUse: 16000)
        #expect(keeper.demand(1) == Retention.Demand(pages: 900 - allowance, shortestRun: Retention.longRun))
        keeper.gave(1000, inUse: 16000)
        #expect(
            keeper.demand(1) == Retention.Demand(pages: 1900 - allowance, shortestRun: 1),
            "beyond a sixteenth of what is in use, holes go as well")
    }

    @Test func aSearchThatFoundNoLongRunIsNotRepeatedForEachPage() {
        let keeper = Keeper()
        keeper.gave(900, inUse: 16000)
        #expect(keeper.excess(1) > 0)
        keeper.noLongRun()
        keeper.gave(10, inUse: 16000)
        #expect(keeper.excess(1) == 0)
        keeper.gave(100, inUse: 16000)
        #expect(keeper.excess(1) > 0)
    }

    @Test func withAScavengerFreePagesWaitForATick() {
        let keeper = Keeper()
        keeper.retention.isScavenged = true
        #expect(keeper.free(100_000, at: 1) == 0)
        #expect(keeper.tick() == 0, "in this period they were in use")
        #expect(keeper.tick() == 100_000 - 64)
        #expect(keeper.retention.isAtRest)
    }

    @Test func whatIsUsedBetweenTicksStays() {
        let keeper = Keeper()
        keeper.retention.isScavenged = true
        _ = keeper.free(5000, at: 1)
        _ = keeper.tick()
        for turn in 0..<10 {
            keeper.allocate(4000)
            #expect(keeper.free(4000, at: UInt64(turn)) == 0)
            #expect(keeper.tick() == (turn == 0 ? 1000 - 64 : 0), "only what no turn needed")
        }
    }

    /// Ticks until 5000 free pages are released, in each of six rounds, after which they are wanted back.
    private func waits(_ keeper: Keeper, betweenTicks body: () -> Void) -> [Int] {
        keeper.retention.isScavenged = true
        return (0..<6).map { _ in
            _ = keeper.free(5000, at: 1)
            var ticks = 0
            while keeper.tick() == 0, ticks < 100 {
                ticks += 1
                body()
            }
            keeper.allocate(5000)
            return ticks
        }
    }

    @Test func patienceGrowsWhereReleasedPagesAreWantedBack() {
        let keeper = Keeper()
        let waits = waits(keeper) { keeper.retention.took(pages: 1, dirty: 0) }
        #expect(waits[0] < waits[2] && waits[2] < waits[5] && waits[5] <= 32, "\(waits)")
    }

    @Test func patienceEndsWhereNoPageIsWanted() {
        let waits = waits(Keeper()) {}
        #expect(waits.allSatisfy { $0 <= 4 }, "\(waits)")
    }

    @Test func whatBusierTimesLeftGoesBackWithinThreeTicks() {
        let keeper = Keeper()
        _ = waits(keeper) { keeper.retention.took(pages: 1, dirty: 0) }
        keeper.allocate(1000)
        #expect(keeper.free(100_000, at: 1) == 0)
        for _ in 0..<3 { _ = keeper.tick() }
        #expect(keeper.retention.resident <= 64 && keeper.retention.isAtRest)
    }

    @Test func waitingForATickDoesNotRaiseThePeak() {
        let keeper = Keeper()
        keeper.retention.isScavenged = true
        #expect(keeper.free(10_000, at: 1) == 0)
        // Fresh pages, as for a block that fits no hole.
        keeper.retention.took(pages: 3000, dirty: 0)
        #expect(keeper.excess(2) == 3000, "what is fresh is paid for")
        #expect(keeper.excess(3) == 0, "once")
    }

    @Test(arguments: [Options.Release.never, .lazy]) func ticksRespectTheUsersWord(policy: Options.Release) {
        let keeper = Keeper()
        keeper.retention.isScavenged = true
        keeper.retention.policy = policy
        _ = keeper.free(10_000, at: 1)
        #expect(keeper.tick() == 0 && keeper.tick() == 0)
        #expect(keeper.retention.isAtRest)
    }
}
