import Foundation
import TestSupport

/// The C programs of `Tests/Programs/Vectors`, linked against the shared object.
enum VectorPrograms {
    /// The counts, in place of ones that take seconds.
    static let runsLong = ProcessInfo.processInfo.environment["PERCOLATE_LONG"] == "1"

    /// The path of the executable built from `Tests/Programs/Vectors/<name>.c`.
    static func executable(_ name: String, flags: [String] = []) async throws -> String {
        try await Compiler.shared.executable(
            "Vectors/\(name).c", flags: try Headers.flags() + [Checkout.library] + flags)
    }

    static func run(
        _ name: String, _ arguments: [String] = [], flags: [String] = [], environment: [String: String?] = [:],
        timeout: Duration = .seconds(runsLong ? 3600 : 180)
    ) async throws -> Outcome {
        let program = try await executable(name, flags: ["-Wall", "-Wextra", "-Werror"] + flags)
        return try await TestSupport.run(
            program, arguments, under: .glibc, environment: environment, timeout: timeout)
    }

    /// As `run`, while no other program runs that was started so.
    static func runAlone(
        _ name: String, _ arguments: [String] = [], flags: [String] = [], environment: [String: String?] = [:]
    ) async throws -> Outcome {
        try await OneAtATime.shared.run {
            try await run(name, arguments, flags: flags, environment: environment)
        }
    }
}

/// Programs that use both CPUs for seconds run one after the other, or they would starve each
/// other.
actor OneAtATime {
    static let shared = OneAtATime()

    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    nonisolated func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        await enter()
        do {
            let result = try await body()
            await leave()
            return result
        } catch {
            await leave()
            throw error
        }
    }

    private func enter() async {
        guard isBusy else {
            isBusy = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        guard waiting.isEmpty else { return waiting.removeFirst().resume() }
        isBusy = false
    }
}
