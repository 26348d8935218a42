import Foundation
import Subprocess
import TestSupport
import Testing

/// How long the suites take: the quick form is for every run, the long form is the matrix.
enum Effort {
    /// Set by `PERCOLATE_LONG=1`.
    static let isLong = ProcessInfo.processInfo.environment["PERCOLATE_LONG"] == "1"
}

/// One run of a program of `Tests/Programs/Stress`, each of which ends with status 0, after a line
/// that starts with its own name, only if everything it checks held.
struct StressProgram {
    let name: String
    var arguments: [String] = []
    /// Libraries of the same folder that the program is linked with.
    var linked: [String] = []
    /// More flags of its compilation.
    var flags: [String] = []
    /// Options of Percolate.
    var options: [String] = []
    var environment: [String: String?] = [:]
    /// A command that starts the program, such as `taskset -c 0`.
    var launcher: [String] = []
    var timeout: Duration = .seconds(150)

    /// Runs the program under Percolate, expects it to pass, and expects the statistics to prove
    /// who served it.
    ///
    /// - Returns: The statistics of the process that was served most, which is the program itself.
    @discardableResult
    func expectPass(sourceLocation: SourceLocation = #_sourceLocation) async throws -> Statistics {
        let folder = FileManager.default.temporaryDirectory.appending(path: "percolate-stress-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let prefix = folder.appending(path: "statistics").path
        let allocator = Allocator.percolate(options: (options + ["stats=\(prefix)"]).joined(separator: ","))
        let outcome = try await outcome(under: allocator)
        #expect(
            outcome.succeeded && outcome.output.contains("\(name): "),
            "\(name) \(arguments.joined(separator: " ")): status \(describe(outcome)): \(outcome.errors)",
            sourceLocation: sourceLocation)
        let most = try Statistics.all(prefix: prefix).max { $0.servedBlocks < $1.servedBlocks }
        let statistics = try #require(most, "\(name) left no statistics", sourceLocation: sourceLocation)
        #expect(statistics.servedBlocks > 0, "\(name) was not served", sourceLocation: sourceLocation)
        return statistics
    }

    /// Runs the program under `allocator`, whatever comes of it.
    func outcome(under allocator: Allocator) async throws -> Outcome {
        var flags = flags
        for library in linked { flags.append(try await Self.library(library)) }
        let program = try await Compiler.shared.executable("Stress/\(name).c", flags: flags)
        let words = launcher + [program] + arguments
        return try await run(
            words[0], Array(words.dropFirst()), under: allocator, environment: environment, timeout: timeout)
    }

    /// The path of the shared library built from `Tests/Programs/Stress/<name>.c`.
    static func library(_ name: String) async throws -> String {
        try await Compiler.shared.executable("Stress/\(name).c", flags: ["-shared", "-fPIC"])
    }

    /// The number of a CPU that this process may use.
    static func oneProcessor() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let allowed = try #require(status.firstMatch(of: /Cpus_allowed_list:\s*(\d+)/))
        return try #require(Int(allowed.output.1))
    }

    private func describe(_ outcome: Outcome) -> String {
        if let code = outcome.exitCode { return "\(code)" }
        return "signal \(outcome.signal ?? 0)"
    }
}
