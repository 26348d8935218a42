import TestSupport
import Testing

/// The five classic structures on per-CPU data: every operation takes effect exactly once,
/// whichever way it went.
@Suite struct StructureTests {
    static let structures = ["lock", "counter", "list", "pointers", "bytes"]
    static let disturbances = ["affinity=1", "closes=2", "signals=1"]

    /// Operations in all, by way.
    static func count(_ way: String) -> Int {
        switch way {
        case "section": VectorPrograms.runsLong ? 100_000_000 : 1_000_000
        case "vector": VectorPrograms.runsLong ? 1_000_000 : 20_000
        default: VectorPrograms.runsLong ? 10_000_000 : 100_000
        }
    }

    @Test(arguments: structures, ["section", "vector", "mixed"])
    func everyOperationHappensOnce(structure: String, way: String) async throws {
        try await expectSuccess([structure, way, "\(Self.count(way))", "6"])
    }

    @Test(arguments: structures, ["section", "vector", "mixed"])
    func affinityClosesAndSignalsChangeNothing(structure: String, way: String) async throws {
        try await expectSuccess([structure, way, "\(Self.count(way))", "6"] + Self.disturbances)
    }

    @Test(arguments: structures, 1...6)
    func delaysInsideTheSequencesChangeNothing(structure: String, step: Int) async throws {
        let count = VectorPrograms.runsLong ? 2_000_000 : 30_000
        try await expectSuccess(
            [structure, "mixed", "\(count)", "4", "delay=\(step)", "turns=2000"] + Self.disturbances)
    }

    @Test(arguments: ["mixed", "vector"])
    func threadsThatAreNotRegisteredTakePartByVectors(way: String) async throws {
        for structure in Self.structures {
            try await expectSuccess(
                [structure, way, "\(Self.count("vector"))", "4"] + Self.disturbances,
                environment: ["GLIBC_TUNABLES": "glibc.pthread.rseq=0"])
        }
    }

    @Test(arguments: ["rseq=off", "membarrier=off", "index=mm_cid", "hardened=1"])
    func everyModeKeepsTheContract(options: String) async throws {
        for structure in Self.structures {
            try await expectSuccess(
                [structure, "mixed", "\(Self.count("vector"))", "4"] + Self.disturbances,
                environment: ["PERCOLATE_OPTIONS": options])
        }
    }

    @Test func aFenceThatIsRefusedLaterLeavesVectorsOnly() async throws {
        for structure in Self.structures {
            try await expectSuccess(
                [structure, "mixed", "\(Self.count("vector"))", "4", "fence=1"] + Self.disturbances)
        }
    }

    /// The negative control: with the fence taken away, and the section widened so that it shows,
    /// operations get lost or happen twice. A counter needs vectors that take long, the others have
    /// several steps themselves.
    @Test(arguments: structures)
    func withoutTheFenceOperationsAreLost(structure: String) async throws {
        let arguments =
            structure == "counter"
            ? [structure, "section", "60000", "2", "delay=3", "turns=20000", "closes=2"]
            : [structure, "mixed", "30000", "4", "delay=4", "turns=20000", "hold=3000"]
        try await expectSuccess(arguments)
        var isWrong = false
        for _ in 0..<8 where !isWrong {
            let outcome = try await run(arguments + ["fence=0"])
            isWrong = outcome.exitCode == 1 && outcome.output.contains("WRONG")
        }
        #expect(isWrong, "eight runs without the fence counted right: the test cannot see what it is for")
    }

    private func run(_ arguments: [String], environment: [String: String?] = [:]) async throws -> Outcome {
        try await VectorPrograms.runAlone("structures", arguments, environment: environment)
    }

    private func expectSuccess(_ arguments: [String], environment: [String: String?] = [:]) async throws {
        let outcome = try await run(arguments, environment: environment)
        #expect(outcome.succeeded, "\(arguments): \(outcome.output)\(outcome.errors)")
    }
}
