import Foundation
import TestSupport
import Testing

/// What the fence is for, seen at one sequence: a vector that closes the gate of another CPU stops
/// the sequence that runs there at that moment.
@Suite(.enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "one CPU"))
struct RunningSectionTests {
    @Test func aVectorForAnotherCPUStopsTheSequenceThatRunsThere() async throws {
        let outcome = try await VectorPrograms.runAlone("running_section", ["10000"])
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("10000 aborted while they ran, 0 committed"), "\(outcome.output)")
    }

    /// The negative control: membarrier(2) looks as if it had fenced. A sequence whose thread is
    /// not preempted by chance goes on and commits, although its gate was closed.
    @Test func withoutTheFenceTheSequenceCommitsBehindAClosedGate() async throws {
        let outcome = try await VectorPrograms.runAlone("running_section", ["10000", "fence=0"])
        #expect(outcome.exitCode == 1 && outcome.output.contains("1 committed"), "\(outcome.output)\(outcome.errors)")
    }
}
