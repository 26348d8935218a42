import TestSupport
import Testing

/// What sections and vectors cost, as far as a busy machine can tell. `percolate-vectors` of the
/// package Benchmarks measures.
@Suite struct CostTests {
    /// The kernel is asked whether each page that is written can be written, once; to hold signals
    /// back, and let them in; to fence, for another CPU. What lies on the caller's stack needs no
    /// question.
    @Test func vectorsAskTheKernelNoMoreThanTheyMust() async throws {
        let outcome = try await VectorPrograms.runAlone("system_calls")
        try #require(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
        let counts = outcome.output.split(separator: "\n").map(String.init)
        #expect(
            counts == [
                "add: 3", "add for another CPU: 4", "compare and two stores: 3",
                // The node may be unmapped: it is probed, and fetched by process id.
                "pop: 6",
                "cpu_opv: 3",
                // The page, and the affinity.
                "cpu_opv refused: 2",
            ])
    }

    /// The goal is half of it.
    @Test func aSectionCostsLessThanAnAtomicAddition() async throws {
        let outcome = try await VectorPrograms.runAlone("section_cost", flags: ["-O2"])
        let percent = try #require(Int(outcome.output.dropLast()), "\(outcome.output)\(outcome.errors)")
        #expect(percent > 0 && percent < 100)
    }
}
