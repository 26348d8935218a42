import Foundation
import TestSupport
import Testing

/// Per-CPU memory and the structures of `<percolate/percpu.h>`: every operation takes effect once,
/// whoever does it and wherever, by CPU number and by concurrency id.
@Suite struct PerCPUProgramTests {
    static let structures = ["counter", "lifo", "ring", "batch", "bytes"]
    static let indexes = ["cpu_id", "mm_cid"]

    @Test(arguments: structures, indexes)
    func everyOperationHappensOnce(structure: String, index: String) async throws {
        try await expectSuccess("structures", [structure, index, Self.count(200_000), "6"])
    }

    @Test(arguments: structures, indexes)
    func delaysInsideTheSequencesChangeNothing(structure: String, index: String) async throws {
        for step in 3...6 {
            try await expectSuccess(
                "structures",
                [
                    structure, index, Self.count(8000), "4", "remote=30", "delay=\(step)",
                    "turns=10000",
                ])
        }
    }

    @Test(arguments: [
        ["GLIBC_TUNABLES": "glibc.pthread.rseq=0"], ["PERCOLATE_OPTIONS": "rseq=off"],
        ["PERCOLATE_OPTIONS": "membarrier=off"], ["PERCOLATE_OPTIONS": "hardened=1"],
    ])
    func everyModeKeepsTheContract(environment: [String: String]) async throws {
        for structure in Self.structures {
            for index in Self.indexes {
                try await expectSuccess(
                    "structures", [structure, index, "10000", "4"], environment: environment)
            }
        }
    }

    /// The negative control: with the fence taken away, and sequences that last, operations get
    /// lost or happen twice.
    @Test(arguments: structures, indexes)
    func withoutTheFenceOperationsAreLost(structure: String, index: String) async throws {
        let step = structure == "counter" ? 3 : 4
        let arguments = [
            structure, index, "40000", "4", "remote=50", "delay=\(step)", "turns=40000",
        ]
        try await expectSuccess("structures", arguments)
        try await expectFailure("structures", arguments + ["fence=0"])
    }

    @Test(arguments: indexes)
    func writersWaitForReaders(index: String) async throws {
        try await expectSuccess("epoch", [index, Self.count(1000), "4"])
        // The kernel refuses membarrier(2) by EPERM or ENOSYS: readers pass their own barriers.
        for error in ["1", "38"] { try await expectSuccess("epoch", [index, "200", "3", error]) }
    }

    /// The negative control.
    @Test func readersSeeWhatWritersThatDoNotWaitHaveSpoiled() async throws {
        try await expectFailure("epoch", ["cpu_id", "20000", "4"], flags: ["-DWITHOUT_WAITING"])
    }

    @Test func anItemOfAPoolHasOneOwner() async throws {
        try await expectSuccess("pool", ["threads", Self.count(100_000)])
        try await expectSuccess("pool", ["shapes"])
        try await expectSuccess("pool", ["fork"])
    }

    /// The negative control: the pool with its atomic step in two parts.
    @Test func aPoolThatTakesInTwoStepsHasTwoOwners() async throws {
        let allocator = ["-I", Checkout.root.appending(path: "LD_PRELOAD").path]
        try await expectFailure(
            "pool", ["threads", "1000000"], flags: ["-DRACY"] + Headers.internalFlags + allocator)
    }

    @Test(arguments: [
        ("double", "double free of a per-CPU item"),
        ("foreign", "free of what is no item of this per-CPU pool"),
        ("inner", "free of what is no item of this per-CPU pool"),
    ])
    func aWrongFreeEndsTheProcessWithALine(misuse: String, sentence: String) async throws {
        let outcome = try await run("pool", [misuse])
        #expect(outcome.signal == SIGABRT && outcome.output == "")
        #expect(outcome.errors.hasPrefix("percolate: \(sentence): 0x"), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    private static func count(_ operations: Int) -> String {
        "\(VectorPrograms.runsLong ? operations * 50 : operations)"
    }

    private func run(
        _ name: String, _ arguments: [String], flags: [String] = [],
        environment: [String: String] = [:]
    ) async throws -> Outcome {
        try await VectorPrograms.runAlone(
            "../PerCPU/\(name)", arguments, flags: flags, environment: environment)
    }

    private func expectSuccess(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws {
        let outcome = try await run(name, arguments, environment: environment)
        #expect(outcome.succeeded, "\(name) \(arguments): \(outcome.output)\(outcome.errors)")
    }

    private func expectFailure(_ name: String, _ arguments: [String], flags: [String] = [])
        async throws
    {
        for _ in 0..<12 {
            let outcome = try await run(name, arguments, flags: flags)
            if outcome.exitCode == 1, outcome.output.contains("WRONG") { return }
        }
        Issue.record(
            "\(name) \(arguments): twelve runs went right: the test cannot see what it is for")
    }
}
