import Foundation
import TestSupport
import Testing

/// Signal handlers allocate and free, whatever they interrupt.
@Suite(.serialized) struct SignalTests {
    private static let seconds = Effort.isLong ? "20" : "3"

    @Test(arguments: ["small", "refill"]) func handlersMayAllocate(kind: String) async throws {
        try await StressProgram(name: "signals", arguments: [kind, Self.seconds, "50"]).expectPass()
    }

    @Test func handlersMayAllocateDuringTheFirstCalls() async throws {
        try await StressProgram(name: "signals", arguments: ["first", Effort.isLong ? "20" : "2", "20"]).expectPass()
    }

    @Test func handlersMayAllocateWhileLargeBlocksMove() async throws {
        try await StressProgram(name: "signals", arguments: ["large", Self.seconds, "200"]).expectPass()
    }

    @Test(arguments: ["small", "refill"], [["rseq=off"], ["hardened=1"], ["membarrier=off"]])
    func handlersMayAllocateInEveryMode(kind: String, options: [String]) async throws {
        try await StressProgram(name: "signals", arguments: [kind, "1", "50"], options: options).expectPass()
    }

    @Test(arguments: [[], ["rseq=off"], ["hardened=1"], ["membarrier=off"], ["index=mm_cid"]])
    func aHandlerThatJumpsStopsNobody(options: [String]) async throws {
        try await StressProgram(
            name: "jump", arguments: [Effort.isLong ? "50000" : "1500"], options: options,
            timeout: .seconds(Effort.isLong ? 600 : 150)
        ).expectPass()
    }

    @Test(arguments: ["deep", "alternate", "nested", "exit"])
    func howeverAHandlerLeavesNobodyStops(kind: String) async throws {
        try await StressProgram(
            name: "jump", arguments: [Effort.isLong ? "50000" : "1000", kind],
            timeout: .seconds(Effort.isLong ? 600 : 150)
        ).expectPass()
    }

    @Test(arguments: [[], ["rseq=off"], ["hardened=1"]])
    func aJumpAfterAnyInstructionLeavesTheHeapWhole(options: [String]) async throws {
        try await StressProgram(
            name: "jump_everywhere", arguments: [Effort.isLong ? "5" : "200"], options: options,
            timeout: .seconds(Effort.isLong ? 600 : 150)
        ).expectPass()
    }

    @Test(arguments: [[], ["rseq=off"], ["hardened=1"]])
    func absurdSizesInHandlersGiveNull(options: [String]) async throws {
        try await StressProgram(name: "absurd_in_handler", arguments: ["200"], options: options).expectPass()
    }

    @Test func handlersMayAllocateWithOwnRegistration() async throws {
        try await StressProgram(
            name: "signals", arguments: ["refill", "1", "50"], environment: ["GLIBC_TUNABLES": "glibc.pthread.rseq=0"]
        ).expectPass()
    }
}
