import Foundation
import TestSupport
import Testing

/// A workload of `Tests/Programs/Real` whose output must be the same under every allocator.
struct RealProgram {
    /// The shell script, without its suffix.
    let script: String
    var arguments: [String] = []
    var environment: [String: String] = [:]
    /// Options for Percolate that the test is about.
    var ownOptions = ""
    /// The processes that must prove by their statistics that Percolate served them: name (as in
    /// `/proc/<pid>/comm`) and how many of that name at least.
    let served: [String: Int]

    /// `quick`, or `long` when `PERCOLATE_LONG` is 1.
    static let size = ProcessInfo.processInfo.environment["PERCOLATE_LONG"] == "1" ? "long" : "quick"

    /// Options for Percolate beside the one for statistics, from the long matrix.
    static let options = ProcessInfo.processInfo.environment["PERCOLATE_PROGRAM_OPTIONS"].map { ",\($0)" } ?? ""

    /// The mode that a process must say it was in, where the options force one.
    private var forcedMode: String? {
        let options = "\(Self.options),\(ownOptions)"
        if options.contains("hardened=1") { return "hardened" }
        if options.contains("rseq=off") { return "locked" }
        return nil
    }

    /// Runs the workload under glibc and under Percolate, and expects the same output and enough
    /// served processes.
    func givesTheSameResult(_ location: SourceLocation = #_sourceLocation) async throws {
        let workspace = try Workspace(named: ([script] + arguments).joined(separator: "-"))
        defer { workspace.remove() }
        let expected = try await run(in: workspace, under: .other(library: "libc.so.6"))
        let statistics = workspace.statisticsPrefix
        let actual = try await run(
            in: workspace, under: .other(library: workspace.library),
            environment: ["PERCOLATE_OPTIONS": "stats=\(statistics)\(Self.options),\(ownOptions)"])

        #expect(!expected.output.isEmpty, "the workload printed nothing to compare", sourceLocation: location)
        #expect(
            actual.output == expected.output, "\(firstDifference(expected.output, actual.output))",
            sourceLocation: location)
        let complaints = actual.errors.split(separator: "\n").filter { $0.hasPrefix("percolate: ") }
        #expect(complaints.isEmpty, "Percolate complained", sourceLocation: location)

        let processes = try Statistics.all(prefix: statistics)
        if let mode = forcedMode {
            let modes = Set(processes.compactMap { $0.values["mode"] })
            #expect(modes == [mode], sourceLocation: location)
        }
        for (name, least) in served {
            let proved = processes.filter { $0.values["process_name"] == name && $0.servedBlocks > 0 }.count
            #expect(
                proved >= least, "processes named \(name) that Percolate served, of \(processes.count) in all",
                sourceLocation: location)
        }
    }

    private func run(
        in workspace: Workspace, under allocator: Allocator, environment added: [String: String] = [:]
    ) async throws -> Outcome {
        let file = Checkout.programs.appending(path: "Real/\(script).sh").path
        let outcome = try await TestSupport.run(
            "bash", [file, Self.size] + arguments, under: allocator,
            environment: environment.merging(added) { $1 },
            directory: workspace.emptyFolder(), timeout: Self.size == "long" ? .seconds(3600) : .seconds(300))
        guard outcome.succeeded else {
            throw WorkloadFailed(
                description: """
                    \(script) under \(allocator) ended with \
                    \(outcome.signal.map { "signal \($0)" } ?? "exit code \(outcome.exitCode ?? -1)"):
                    \(outcome.errors.suffix(4000))
                    """)
        }
        return outcome
    }

    /// The first line that differs, for a message that can be read.
    private func firstDifference(_ expected: String, _ actual: String) -> String {
        let expected = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let actual = actual.split(separator: "\n", omittingEmptySubsequences: false)
        let same = zip(expected, actual).prefix { $0 == $1 }.count
        let (left, right) = (expected.dropFirst(same).first, actual.dropFirst(same).first)
        return "line \(same + 1): under glibc \(left ?? "(end)"), under Percolate \(right ?? "(end)")"
    }
}

/// A workload did not run to its end: its standard error says why, or which Debian package is
/// missing.
struct WorkloadFailed: Error, CustomStringConvertible {
    let description: String
}
