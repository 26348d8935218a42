import Testing

@testable import PercolateCoreHosted

/// How many free pages stay: little, unless the program wants them back.
@Suite struct RetentionTests {
    /// The rule under test, and what the arena does by it.
    private final class Keeper {
        var retention = Retention()

        func excess(_ time: UInt64) -> Int { retention.excess(time) }

        /// `pages` come free, and the excess is released. Returns the number of pages released.
        func free(_ pages: Int, at time: UInt64, inUse: Int = 0) -> Int {
            retention.gave(pages: pages, highest: pages, inUse: inUse)
            let excess = retention.excess(time)
            if excess > 0 {
                retention.took(pages: excess, dirty: excess)
                retention.released(pages: excess)
            }
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
        keeper.retention.took(pages: excess, dirty: excess)
        keeper.retention.gave(pages: excess, highest: 5000, inUse: 0)
        keeper.retention.refused(pages: excess)
        #expect(keeper.excess(2) == 0)
        #expect(keeper.retention.releasedTotal == 0)
    }
}
