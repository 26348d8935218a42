import TestSupport
import Testing

/// Vectors at every time of a process, of its threads and of its children.
@Suite struct LifeTests {
    static let modes: [[String: String?]] = [
        [:], ["PERCOLATE_OPTIONS": "rseq=off"], ["GLIBC_TUNABLES": "glibc.pthread.rseq=0"],
    ]

    @Test(arguments: modes)
    func vectorsRunBeforeMainAfterItAndWhileThreadsEnd(environment: [String: String?]) async throws {
        let threads = VectorPrograms.runsLong ? "20000" : "400"
        let outcome = try await VectorPrograms.runAlone("life", [threads], environment: environment)
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
    }

    @Test(arguments: modes)
    func vforkChildrenMayRunVectors(environment: [String: String?]) async throws {
        let children = VectorPrograms.runsLong ? "5000" : "200"
        let outcome = try await VectorPrograms.runAlone("vfork_vectors", [children], environment: environment)
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
    }

    /// The negative control: a child of which the library hears nothing closes gates as if it were
    /// its parent.
    @Test func vforkChildrenThatAreTakenForTheirParentLoseOperations() async throws {
        var isWrong = false
        for _ in 0..<8 where !isWrong {
            let outcome = try await VectorPrograms.runAlone("vfork_vectors", ["400"], flags: ["-DPLAIN_VFORK"])
            isWrong = outcome.exitCode == 1 && outcome.output.contains("WRONG")
        }
        #expect(isWrong, "eight runs counted right: the test cannot see what it is for")
    }
}
