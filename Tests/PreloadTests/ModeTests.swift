import Foundation
import TestSupport
import Testing

/// A way to run, what brings it about, and what the statistics must then say.
struct Mode: Sendable, CustomTestStringConvertible {
    var options: [String] = []
    /// glibc leaves the registration of rseq to the allocator.
    var withoutGlibcRegistration = false
    /// What `refuse` makes the kernel refuse, and with which error.
    var refused: (calls: String, error: String)?
    let expected: [String: String]

    var testDescription: String {
        var words = options
        if withoutGlibcRegistration { words.append("no registration by glibc") }
        if let refused { words.append("\(refused.calls) refused with \(refused.error)") }
        return words.isEmpty ? "default" : words.joined(separator: ", ")
    }

    static let sections = ["mode": "sections", "rseq": "glibc", "membarrier": "yes"]
    static let own = ["mode": "sections", "rseq": "own", "membarrier": "yes"]
    static let locked = ["mode": "locked", "rseq": "none"]
    static let unfenced = ["mode": "sections", "rseq": "glibc", "membarrier": "no", "gates_closed_remote": "0"]
    static let hardened = ["mode": "hardened"]

    static let all: [Mode] = [
        Mode(expected: sections),
        Mode(options: ["index=cpu_id"], expected: sections.merging(["index": "cpu_id"]) { $1 }),
        Mode(withoutGlibcRegistration: true, expected: own),
        Mode(
            options: ["index=cpu_id"], withoutGlibcRegistration: true,
            expected: own.merging(["index": "cpu_id"]) { $1 }),
        Mode(options: ["rseq=off"], expected: locked),
        Mode(withoutGlibcRegistration: true, refused: ("rseq", "ENOSYS"), expected: locked),
        Mode(refused: ("rseq", "EPERM"), expected: locked),
        Mode(refused: ("both", "ENOSYS"), expected: locked),
        Mode(options: ["membarrier=off"], expected: unfenced),
        Mode(refused: ("membarrier", "ENOSYS"), expected: unfenced),
        Mode(refused: ("membarrier", "EPERM"), expected: unfenced),
        Mode(
            options: ["membarrier=off"], withoutGlibcRegistration: true,
            expected: unfenced.merging(["rseq": "own"]) { $1 }),
        Mode(options: ["hardened=1"], expected: hardened),
        Mode(options: ["hardened=1"], withoutGlibcRegistration: true, expected: hardened),
        Mode(options: ["hardened=1", "rseq=off"], expected: hardened.merging(["rseq": "none"]) { $1 }),
        Mode(options: ["hardened=1"], refused: ("both", "EPERM"), expected: hardened),
    ]

    static let byThreadIndex: [Mode] = [
        Mode(options: ["index=mm_cid"], expected: sections.merging(["index": "mm_cid"]) { $1 }),
        Mode(
            options: ["index=mm_cid"], withoutGlibcRegistration: true,
            expected: own.merging(["index": "mm_cid"]) { $1 }),
        Mode(
            options: ["index=mm_cid", "membarrier=off"],
            expected: unfenced.merging(["index": "mm_cid"]) { $1 }),
    ]

    /// Whether the kernel keeps a compact index of the process's running threads (`mm_cid`, at
    /// offset 24 of its area).
    static let kernelHasThreadIndex: Bool = {
        let featureSizeEntry: UInt64 = 27  // AT_RSEQ_FEATURE_SIZE
        guard let vector = try? Data(contentsOf: URL(filePath: "/proc/self/auxv")) else { return false }
        let words = vector.withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
        return stride(from: 0, to: words.count - 1, by: 2)
            .contains { words[$0] == featureSizeEntry && words[$0 + 1] >= 28 }
    }()
}

/// Each mode is taken when it should be, and stays alive.
@Suite(.serialized) struct ModeTests {
    @Test(arguments: Mode.all) func theModeIsTakenAndLosesNoBlock(mode: Mode) async throws {
        try await expectPass(mode)
    }

    @Test(.enabled(if: Mode.kernelHasThreadIndex, "this kernel has no mm_cid"), arguments: Mode.byThreadIndex)
    func theThreadIndexIsTakenAndLosesNoBlock(mode: Mode) async throws {
        try await expectPass(mode)
    }

    @Test(arguments: [[], ["index=cpu_id"], ["rseq=off"], ["hardened=1"]])
    func oneCPUIsEnoughInEveryMode(options: [String]) async throws {
        try await StressProgram(
            name: "stress", arguments: ["--threads", "6", "--operations", "200000", "--trim", "1000"],
            options: options, launcher: ["taskset", "-c", "\(try StressProgram.oneProcessor())"]
        ).expectPass()
    }

    private func expectPass(_ mode: Mode, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var program = StressProgram(
            name: "stress",
            arguments: [
                "--threads", "8", "--operations", Effort.isLong ? "3000000" : "300000", "--trim", "1000",
                "--affinity", "500", "--forks", "20000", "--limit", "600",
            ],
            options: mode.options, timeout: .seconds(Effort.isLong ? 700 : 150))
        if mode.withoutGlibcRegistration { program.environment["GLIBC_TUNABLES"] = "glibc.pthread.rseq=0" }
        if let refused = mode.refused {
            program.launcher = [
                try await Compiler.shared.executable("Stress/refuse.c"), refused.calls, refused.error,
            ]
        }
        let statistics = try await program.expectPass(sourceLocation: sourceLocation)
        for (name, value) in mode.expected {
            #expect(statistics.values[name] == value, "statistics: \(name)", sourceLocation: sourceLocation)
        }
    }
}
