import TestSupport
import Testing

/// Idle memory goes back without anybody's call in a process that has threads, and only there.
@Suite(.serialized) struct ScavengerTests {
    /// A hardened one keeps its quarantine and its tables of blocks.
    @Test(arguments: [[], ["index=mm_cid"], ["rseq=off"]])
    func aProcessThatFallsIdleGivesItsMemoryBack(options: [String]) async throws {
        let statistics = try await StressProgram(name: "idle", arguments: ["40", "120", "scavenger"], options: options)
            .expectPass()
        #expect(statistics["released_bytes"] > 100 << 20)
    }

    @Test(arguments: [["background=off"], ["release=never"], ["release=lazy"]])
    func theUserCanDoWithout(options: [String]) async throws {
        try await StressProgram(name: "idle", arguments: ["40", "120", "none"], options: options).expectPass()
    }

    @Test func aThousandParkedThreadsHoldNothing() async throws {
        try await StressProgram(name: "idle", arguments: ["1000", "500", "scavenger"]).expectPass()
    }
}
