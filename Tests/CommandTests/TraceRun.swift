import Foundation
import TestSupport
import Testing

/// Runs of `percolate trace`, with the real allocator: the stand-in has no probes.
enum TraceRun {
    /// Whether this machine lets this process place probes in programs, found out without the
    /// command: root's capability, no system-call filter, and a kernel that has them.
    static let isPermitted: Bool = {
        guard hasProbes, let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
            return false
        }
        let fields = status.split(separator: "\n").map { $0.split(separator: "\t") }
        func field(_ name: String) -> Substring? { fields.first { $0.first?.hasPrefix(name) == true }?.last }
        guard let effective = field("CapEff:").flatMap({ UInt64($0, radix: 16) }) else { return false }
        return effective & 1 << 21 != 0 && field("Seccomp:") == "0"
    }()

    static let hasProbes = FileManager.default.fileExists(atPath: "/sys/bus/event_source/devices/uprobe/type")

    static let needs: Comment = "needs the kernel's probes in programs: CAP_SYS_ADMIN and no system-call filter"

    /// A test program that calls the shared object.
    static func program(_ source: String) async throws -> String {
        try await Compiler.shared.executable(source, flags: try Headers.flags() + [Checkout.library])
    }

    static func arguments(_ options: [String], _ program: [String]) -> [String] {
        ["trace", "--library", Checkout.library] + options + ["--"] + program
    }

    static func run(
        _ options: [String] = [], _ program: [String], environment: [String: String?] = [:]
    ) async throws -> Outcome {
        try await CommandRun.command(arguments(options, program), environment: environment)
    }

    /// Runs a program with its trace in a file.
    static func trace(_ options: [String] = [], _ program: [String]) async throws -> (Outcome, [TraceLine]) {
        let folder = try TemporaryFolder()
        let file = folder.path("trace")
        let outcome = try await run(["--output", file] + options, program)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        return (outcome, try text.split(separator: "\n").map { try TraceLine($0) })
    }

    /// Runs a shell script in which file systems are mounted as the script likes, `$@` being the
    /// command with its arguments.
    static func run(inMountNamespace script: String, _ arguments: [String]) async throws -> Outcome {
        try await TestSupport.run(
            "unshare", ["--mount", "/bin/sh", "-c", script + "; exec \"$@\"", "sh", Checkout.command] + arguments,
            under: .glibc)
    }
}

/// A line of a trace: `SECONDS PROCESS/THREAD cpu CPU  KIND MEANING`.
struct TraceLine {
    let time: Double
    let process: Int
    let thread: Int
    let kind: String
    let meaning: String

    init(_ line: Substring) throws {
        let match = try #require(
            try /(\d+\.\d{9}) (\d+)\/(\d+) cpu \d+  ([a-z]+) +(.*)/.wholeMatch(in: line), "\(line)")
        let (_, time, process, thread, kind, meaning) = match.output
        self.time = try #require(Double(time))
        self.process = try #require(Int(process))
        self.thread = try #require(Int(thread))
        self.kind = String(kind)
        self.meaning = String(meaning)
    }
}
