import Testing

@testable import PercolateCoreHosted

/// How many free pages stay: little, unless the program wants them back soon.
@Suite struct RetentionTests {
    /// The rule under test, and what the arena does by it.
    private final class Keeper {
        var retention = Retention()
        var inUse = 0

        func demand(_ time: UInt64) -> Retention.Demand { retention.demand(inUse: inUse, at: time) }
        func give(_ pages: Int) { retention.give(pages: pages) }

        /// A tick of the scavenger, and the release it asks for. Returns the number of pages.
        func tick(at time: UInt64 = 0) -> Int {
            let pages = retention.tick().pages
            if pages > 0 { release(pages, time) }
            return pages
        }

        private func release(_ pages: Int, _ time: UInt64) {
            retention.withdraw(pages: pages)
            retention.release(pages: pages, at: time)
        }

        /// `pages` come free, and what the rule asks for is released. Returns the number of pages
        /// released.
        func free(_ pages: Int, at time: UInt64) -> Int {
            retention.give(pages: pages)
            var sum = 0
            while case let pages = demand(time).pages, pages > 0 {
                release(pages, time)
                sum += pages
            }
            return sum
        }

        /// The program takes `pages`, of which those that are resident first.
        func allocate(_ pages: Int, at time: UInt64) {
            retention.take(pages: pages, dirty: min(pages, retention.resident), at: time)
        }

        /// What is released for the clean pages that were taken.
        func pay(at time: UInt64 = 0) -> Int {
            let pages = retention.payDebt(inUse: inUse).pages
            if pages > 0 { release(pages, time) }
            return pages
        }
    }

    /// What stays of a big free, at most.
    private static let kept = 256 + 128

    @Test func aMegabyteStays() {
        let keeper = Keeper()
        #expect(keeper.free(256, at: 1) == 0)
        #expect(keeper.retention.resident == 256)
    }

    @Test func aBigFreeGoesBackAtOnce() {
        let keeper = Keeper()
        _ = keeper.free(100_000, at: 1)
        #expect(keeper.retention.resident <= Self.kept)
        #expect(keeper.retention.releasedTotal >= 100_000 - UInt64(Self.kept))
    }

    @Test func oneFreeWaitsForAPartOfALargeReleaseOnly() {
        let keeper = Keeper()
        keeper.inUse = 100_000
        keeper.give(220_000)
        let demand = keeper.demand(1)
        #expect(demand.pages > 0 && demand.pages < 40_000)
    }

    @Test func noMoreThanTwiceWhatIsInUseStays() {
        let keeper = Keeper()
        keeper.inUse = 10_000
        #expect(keeper.free(20_000, at: 1) == 0, "free runs may grow together")
        #expect(keeper.free(30_000, at: 2) >= 29_000)
        #expect(keeper.retention.resident <= 2 * 10_000 + 10_000 / 32 + Self.kept)
    }

    @Test func whatStaysUnusedForAPeriodIsReleased() {
        let keeper = Keeper()
        keeper.inUse = 10_000
        #expect(keeper.free(5000, at: 1) == 0)
        #expect(keeper.free(1, at: 90) == 0)
        #expect(keeper.free(1, at: 105) == 0, "in this period they were in use")
        #expect(keeper.free(1, at: 210) >= 4000)
    }

    @Test func whatIsWantedBackSoonStopsBeingReleased() {
        let keeper = Keeper()
        var releases: [Int] = []
        for turn in 0..<20 {
            // A buffer that rests for 16 ms in each turn of 40.
            releases.append(keeper.free(20_000, at: UInt64(turn * 40)))
            keeper.allocate(20_000, at: UInt64(turn * 40 + 16))
        }
        #expect(releases[0] >= 20_000 - Self.kept)
        #expect(releases[1...].allSatisfy { $0 < 200 }, "\(releases)")
    }

    /// Waves of `pages`, a release every `length` ms, taken again a third of that later. What each
    /// release left.
    private func waves(_ count: Int, of pages: Int, every length: UInt64, _ keeper: Keeper) -> [Int] {
        (0..<count).map { turn in
            _ = keeper.free(pages, at: 1 + UInt64(turn) * length)
            let left = keeper.retention.resident
            keeper.allocate(pages, at: 1 + UInt64(turn) * length + length / 3)
            return left
        }
    }

    @Test func fewWavesOfWorkTeachNothing() {
        #expect(waves(4, of: 100_000, every: 300, Keeper()).allSatisfy { $0 <= Self.kept })
    }

    @Test func slowWavesOfWorkTeachNothing() {
        #expect(waves(20, of: 100_000, every: 3100, Keeper()).allSatisfy { $0 <= Self.kept })
    }

    @Test func ofManyLargeWavesAQuarterStays() throws {
        let left = waves(20, of: 50_000, every: 300, Keeper())
        #expect(left.allSatisfy { $0 <= 50_000 / 4 + Self.kept })
        #expect(try #require(left.last) > 10_000)
    }

    @Test func whatASmallProgramDropsInARhythmStays() {
        let keeper = Keeper()
        #expect(waves(10, of: 8000, every: 140, keeper)[5...].allSatisfy { $0 == 8000 })
        _ = keeper.free(8000, at: 1500)
        for tick in 0..<4 { _ = keeper.free(1, at: UInt64(2501 + tick * 1000)) }
        #expect(keeper.retention.resident <= Self.kept, "the rhythm ended")
    }

    @Test func whatIsWantedBackHasABound() {
        let keeper = Keeper()
        for turn in 0..<20 {
            _ = keeper.free(200_000, at: UInt64(turn))
            keeper.allocate(200_000, at: UInt64(turn))
        }
        _ = keeper.free(200_000, at: 30)
        #expect(keeper.retention.resident <= 24576 + Self.kept)
    }

    @Test func whatWasWantedOnceGoesBackOnceNobodyWantsIt() {
        let keeper = Keeper()
        _ = keeper.free(20_000, at: 1)
        keeper.allocate(20_000, at: 10)
        #expect(keeper.free(20_000, at: 20) < 200)
        #expect(keeper.free(1, at: 130) < 200, "in this period they were in use")
        _ = keeper.free(1, at: 240)
        _ = keeper.free(1, at: 350)
        #expect(keeper.retention.resident <= Self.kept)
    }

    @Test func nothingIsReleasedWhenTheUserSaysNever() {
        let keeper = Keeper()
        keeper.retention.policy = .never
        #expect(keeper.free(1_000_000, at: 1) == 0)
        keeper.allocate(2_000_000, at: 2)
        #expect(keeper.free(1_000_000, at: 100_000) == 0 && keeper.pay() == 0)
    }

    @Test func lazyReleaseKeepsAsMuchAsIsInUse() {
        let keeper = Keeper()
        keeper.retention.policy = .lazy
        keeper.inUse = 1000
        #expect(keeper.free(16_000, at: 1) == 0)
        let kept = 256 + 1000 / 32 + 1000
        #expect(keeper.free(50_000, at: 2) == 66_000 - kept)
    }

    @Test func lockedMemoryIsNotAskedForAgain() {
        let keeper = Keeper()
        keeper.give(5000)
        let excess = keeper.demand(1).pages
        #expect(excess > 4000)
        keeper.retention.withdraw(pages: excess)
        keeper.retention.refuse(pages: excess)
        #expect(keeper.demand(2).pages == 0)
        #expect(keeper.retention.releasedTotal == 0 && keeper.retention.resident == 5000)
    }

    @Test func lockedMemoryDoesNotKeepTheScavengerAwake() {
        let keeper = Keeper()
        keeper.retention.isScavenged = true
        keeper.give(5000)
        #expect(keeper.retention.tick().pages == 0 && !keeper.retention.isAtRest)
        let pages = keeper.retention.tick().pages
        #expect(pages == 5000 - 64)
        keeper.retention.withdraw(pages: pages)
        keeper.retention.refuse(pages: pages)
        #expect(keeper.retention.isAtRest)
        keeper.give(1)
        #expect(!keeper.retention.isAtRest, "these may be unlocked")
    }

    @Test func longRunsGoBeforeShortOnes() {
        let keeper = Keeper()
        keeper.inUse = 16000
        keeper.give(1500)
        _ = keeper.demand(100)
        #expect(keeper.demand(200).shortestRun == Retention.longRun)
        keeper.give(2000)
        _ = keeper.demand(300)
        #expect(keeper.demand(400).shortestRun == 1, "beyond a sixteenth of what is in use, holes go as well")
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
            keeper.allocate(4000, at: UInt64(turn * 500))
            #expect(keeper.free(4000, at: UInt64(turn * 500)) == 0)
            #expect(keeper.tick() == (turn == 0 ? 1000 - 64 : 0), "only what no turn needed")
        }
    }

    @Test func whatBusierTimesLeftGoesBackWithinThreeTicks() {
        let keeper = Keeper()
        keeper.retention.isScavenged = true
        for turn in 0..<20 {
            _ = keeper.free(20_000, at: UInt64(turn))
            _ = keeper.tick(at: UInt64(turn))
            _ = keeper.tick(at: UInt64(turn))
            keeper.allocate(20_000, at: UInt64(turn))
        }
        #expect(keeper.free(100_000, at: 100) == 0)
        for _ in 0..<3 { _ = keeper.tick() }
        #expect(keeper.retention.resident <= 64 && keeper.retention.isAtRest)
    }

    @Test(arguments: [false, true]) func waitingDoesNotRaiseThePeak(isScavenged: Bool) {
        let keeper = Keeper()
        keeper.retention.isScavenged = isScavenged
        keeper.inUse = 10_000
        #expect(keeper.free(10_000, at: 1) == 0)
        // Clean pages, as for a block that fits no hole.
        keeper.retention.take(pages: 3000, dirty: 0, at: 1)
        #expect(keeper.pay() == 3000, "what is clean is paid for")
        #expect(keeper.pay() == 0, "once")
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
