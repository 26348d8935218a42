import Foundation
import TestSupport
import Testing

/// Every block of millions of operations is accounted for: none lost, duplicated, overlapping or
/// misaligned.
@Suite(.serialized) struct StressTests {
    @Test(arguments: [1, 2, 8, 64]) func everyBlockIsAccountedFor(threads: Int) async throws {
        try await stress(threads: threads, operations: 2_000_000)
    }

    @Test(arguments: ["tiny", "large"]) func everySizeIsAccountedFor(sizes: String) async throws {
        let operations = sizes == "large" ? 40_000 : 2_000_000
        try await stress(threads: 8, operations: operations, "--sizes", sizes, "--seed", "3")
    }

    @Test func remoteClosesLoseNoBlock() async throws {
        let statistics = try await stress(threads: 16, operations: 2_000_000, "--sizes", "tiny", "--trim", "100")
        let closes = statistics["gates_closed_remote"]
        #expect(closes > 0, "a trim from a side thread closes the gates of other CPUs")
    }

    @Test func movesBetweenCPUsLoseNoBlock() async throws {
        try await stress(threads: 16, operations: 1_000_000, "--affinity", "50", "--trim", "1000")
    }

    @Test func forksWhileRunningLoseNoBlock() async throws {
        try await stress(threads: 8, operations: 1_000_000, "--forks", "10000", "--trim", "1000")
    }

    @Test func signalsWhileRunningLoseNoBlock() async throws {
        try await stress(threads: 8, operations: 1_000_000, "--signals", "100", "--storm", "50")
    }

    @Test func everythingAtOnceLosesNoBlock() async throws {
        try await stress(
            threads: 12, operations: 1_000_000, "--forks", "20000", "--signals", "200", "--storm", "50",
            "--affinity", "500", "--trim", "1000")
    }

    /// A block lost in a cache is in no program's hands: only memory that grows without end shows
    /// it.
    @Test(arguments: [1, 8]) func aConstantLiveSetNeedsConstantMemory(threads: Int) async throws {
        try await StressProgram(name: "steady", arguments: ["\(threads)"]).expectPass()
    }

    @Test func theSmallestAllowedSetOfCPUsIsEnough() async throws {
        try await StressProgram(
            name: "stress", arguments: ["--threads", "8", "--operations", "500000", "--trim", "1000"],
            launcher: ["taskset", "-c", "\(try StressProgram.oneProcessor())"]
        ).expectPass()
    }
}

/// The matrix: 10^8 operations for each number of threads.
@Suite(.serialized, .enabled(if: Effort.isLong, "the long matrix runs with PERCOLATE_LONG=1"))
struct StressMatrix {
    @Test(arguments: [1, 2, 4, 8, 16, 32, 64], ["tiny", "mixed"])
    func aHundredMillionOperationsAreAccountedFor(threads: Int, sizes: String) async throws {
        try await stress(
            threads: threads, operations: 100_000_000, "--sizes", sizes, "--seed", "\(threads)", "--trim", "5000",
            "--affinity", "10000", "--forks", "100000", "--signals", "1000", "--storm", "500", "--limit", "3500",
            timeout: .seconds(3600))
    }

    @Test(arguments: [4, 64]) func aMillionLargeOperationsAreAccountedFor(threads: Int) async throws {
        try await stress(
            threads: threads, operations: 1_000_000, "--sizes", "large", "--trim", "20000", "--limit", "3500",
            timeout: .seconds(3600))
    }
}

/// The proof that the stress sees what it is for: with a delay inside the sections it passes when
/// closes fence, and fails when they do not.
@Suite(.serialized) struct StressOfTheFence {
    /// Without `trim` no gate of another CPU is closed, so that the fence has no work.
    private static func outcome(under build: TestBuild, seed: Int, trim: Bool = true) async throws -> Outcome {
        let library = try await build.library()
        return try await StressProgram(
            name: "stress",
            arguments: [
                "--threads", trim ? "4" : "1", "--operations", "300000", "--sizes", "tiny", "--seed", "\(seed)",
                "--limit", "60", "--trim", trim ? "50" : "0",
            ]
        ).outcome(under: .other(library: library))
    }

    @Test(arguments: 1...3) func widenedSectionsLoseNoBlock(seed: Int) async throws {
        let outcome = try await Self.outcome(under: .widened, seed: seed)
        #expect(outcome.succeeded, "\(outcome.errors)")
    }

    /// Runs until it is seen: on a machine that others use, a close seldom meets a section that
    /// runs. A run that only took too long has shown nothing.
    @Test func aMissingFenceIsSeen() async throws {
        let harmless = try await Self.outcome(under: .noFence, seed: 1, trim: false)
        #expect(harmless.succeeded, "this build fails for another reason: \(harmless.errors)")
        let clock = ContinuousClock()
        let start = clock.now
        var seed = 0
        repeat {
            seed += 1
            let outcome = try await Self.outcome(under: .noFence, seed: seed)
            if !outcome.succeeded, !outcome.errors.contains("hangs: the stress") { return }
        } while clock.now < start + .seconds(300)
        Issue.record("the stress passed \(seed) times without the fence")
    }
}

@discardableResult
private func stress(
    threads: Int, operations: Int, _ more: String..., timeout: Duration = .seconds(150),
    sourceLocation: SourceLocation = #_sourceLocation
) async throws -> Statistics {
    try await StressProgram(
        name: "stress", arguments: ["--threads", "\(threads)", "--operations", "\(operations)"] + more,
        timeout: timeout
    ).expectPass(sourceLocation: sourceLocation)
}
