import Foundation
import TestSupport
import Testing

/// How the shared object serves a program. Every promise of the interface holds in each mode.
enum InterfaceMode: String, CaseIterable, Sendable {
    case sections, locked, hardened

    var options: String {
        switch self {
        case .sections: ""
        case .locked: "rseq=off"
        case .hardened: "hardened=1"
        }
    }
}

/// A program of `Tests/Programs/Interface`, which checks one promise, named by its first argument.
struct InterfaceProgram: Sendable {
    let source: String
    var flags: [String] = []

    func executable() async throws -> String {
        try await Compiler.shared.executable("Interface/\(source)", flags: flags)
    }

    /// Expects the program to hold its promise, and nobody to write on standard error meanwhile.
    func keeps(
        _ promise: String, in mode: InterfaceMode = .sections, before: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await run(
            try await executable(), before + [promise], under: .percolate(options: mode.options))
        #expect(outcome.succeeded, "\(outcome.report)", sourceLocation: sourceLocation)
        #expect(outcome.errors == "", sourceLocation: sourceLocation)
    }
}

extension Outcome {
    /// What the program printed and how it ended, for a failed expectation.
    var report: String {
        let end = signal.map { "signal \($0)" } ?? "exit code \(exitCode ?? -1)"
        return "\(end)\n\(output)\(errors)"
    }
}
