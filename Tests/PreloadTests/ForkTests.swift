import Foundation
import TestSupport
import Testing

/// Processes made in every way there is, while other threads allocate. A hang is a failure.
@Suite(.serialized) struct ForkTests {
    private static let modes: [[String]] = [[], ["rseq=off"], ["hardened=1"], ["membarrier=off"]]

    @Test(arguments: modes) func forkUnderLoadNeverDeadlocks(options: [String]) async throws {
        try await StressProgram(
            name: "fork_load", arguments: [Effort.isLong ? "500" : "25"], options: options,
            timeout: .seconds(Effort.isLong ? 1800 : 150)
        ).expectPass()
    }

    @Test func forkUnderLoadNeverDeadlocksWithOwnRegistration() async throws {
        try await StressProgram(
            name: "fork_load", arguments: ["25"], environment: ["GLIBC_TUNABLES": "glibc.pthread.rseq=0"]
        ).expectPass()
    }

    @Test(arguments: modes) func forkHandlersOfOthersMayAllocate(options: [String]) async throws {
        try await StressProgram(
            name: "fork_handlers", arguments: [Effort.isLong ? "500" : "40"], linked: ["fork_handlers_library"],
            options: options
        ).expectPass()
    }

    @Test(arguments: ["", "glibc.pthread.rseq=0"]) func rawForksAreServed(tunables: String) async throws {
        try await StressProgram(
            name: "fork_raw", arguments: [Effort.isLong ? "300" : "40"],
            environment: tunables.isEmpty ? [:] : ["GLIBC_TUNABLES": tunables]
        ).expectPass()
    }

    /// No handler runs, and threads are inside: the child repairs what they were changing.
    @Test(arguments: modes + [["index=mm_cid"]])
    func childrenOfABusyProcessThatNoHandlerKnowsAreServed(options: [String]) async throws {
        for (how, children) in [("raw", 30), ("_Fork", 10)] {
            try await StressProgram(
                name: "fork_lost", arguments: [how, "\(Effort.isLong ? 300 : children)"], options: options
            ).expectPass()
        }
    }

    @Test(arguments: modes + [["index=mm_cid"]])
    func aChildOfAHandlerInsideTheAllocatorGivesMemoryBack(options: [String]) async throws {
        try await StressProgram(
            name: "fork_in_handler", arguments: [Effort.isLong ? "1000" : "20"], options: options
        ).expectPass()
    }

    @Test(arguments: modes) func vforkChildrenMayAllocate(options: [String]) async throws {
        try await StressProgram(
            name: "vfork_exec", arguments: [Effort.isLong ? "4000" : options.isEmpty ? "1000" : "150"],
            options: options
        ).expectPass()
    }

    @Test func vforkChildrenMayAllocateWithOwnRegistration() async throws {
        try await StressProgram(
            name: "vfork_exec", arguments: ["150"], environment: ["GLIBC_TUNABLES": "glibc.pthread.rseq=0"]
        ).expectPass()
    }

    @Test(arguments: modes) func aHandlerThatForksDoesNotWaitForAForkingThread(options: [String]) async throws {
        try await StressProgram(
            name: "fork_signal", arguments: [Effort.isLong ? "5000" : "500"], options: options
        ).expectPass()
    }

    @Test(arguments: modes) func aForkInsideAForkLeavesItTheLocks(options: [String]) async throws {
        try await StressProgram(name: "fork_nested", options: options).expectPass()
    }

    @Test(arguments: modes) func flushingStreamsDoesNotStopAFork(options: [String]) async throws {
        try await StressProgram(
            name: "fork_streams", arguments: [Effort.isLong ? "150" : "10"], options: options
        ).expectPass()
    }

    @Test(arguments: modes) func aForkThatWaitsInsideLibcTakesNoMemoryAway(options: [String]) async throws {
        try await StressProgram(name: "fork_stuck", flags: Headers.internalFlags, options: options).expectPass()
    }

    @Test(arguments: modes + [["index=mm_cid"]]) func aVforkChildMayFork(options: [String]) async throws {
        try await StressProgram(name: "vfork_fork", arguments: [Effort.isLong ? "100" : "10"], options: options)
            .expectPass()
    }

    @Test func aVforkChildMayForkWithOwnRegistration() async throws {
        try await StressProgram(
            name: "vfork_fork", arguments: ["10"], environment: ["GLIBC_TUNABLES": "glibc.pthread.rseq=0"]
        ).expectPass()
    }

    @Test func startingProgramsUnderLoadNeverHangs() async throws {
        try await StressProgram(name: "spawn_storm", arguments: [Effort.isLong ? "200" : "25"]).expectPass()
    }

    /// In this build a child does not find out by itself either that threads of its parent were
    /// inside.
    @Test func withoutForkHandlersForkUnderLoadHangs() async throws {
        let library = try await TestBuild.noForkHandlers.library()
        let threads = try await StressProgram(name: "threads", arguments: ["100"])
            .outcome(under: .other(library: library))
        #expect(threads.succeeded, "this build fails for another reason: \(threads.errors)")
        let program = StressProgram(name: "fork_load", arguments: ["200", "4", "4", "5"], timeout: .seconds(120))
        do {
            let outcome = try await program.outcome(under: .other(library: library))
            #expect(!outcome.succeeded, "forks under load passed without fork handlers")
            #expect(outcome.errors.contains("hangs: a fork child"), "no hang, but: \(outcome.errors)")
        } catch is TimedOut {
            // The parent itself hung: what this build must do.
        }
    }
}
