import Foundation
import Subprocess
import SystemPackage

/// What a finished program left behind.
public struct Outcome: Sendable {
    public let exitCode: Int32?
    /// The signal that ended the program, nil when it exited.
    public let signal: Int32?
    public let output: String
    public let errors: String

    public var succeeded: Bool { exitCode == 0 }
}

/// A program did not end within its time limit and was killed. A hang is a failure like any other.
public struct TimedOut: Error, CustomStringConvertible {
    public let description: String
}

/// Which allocator serves the program.
public enum Allocator: Sendable {
    case glibc
    /// Percolate, preloaded, with `PERCOLATE_OPTIONS`.
    case percolate(options: String = "")
    /// Another shared object, preloaded.
    case other(library: String)

    fileprivate var environment: [Environment.Key: String?] {
        switch self {
        case .glibc: ["LD_PRELOAD": nil, "PERCOLATE_OPTIONS": nil]
        case .percolate(let options):
            ["LD_PRELOAD": Checkout.library, "PERCOLATE_OPTIONS": options.isEmpty ? nil : options]
        case .other(let library): ["LD_PRELOAD": library, "PERCOLATE_OPTIONS": nil]
        }
    }
}

/// Runs `program` to its end under `allocator`, and collects what it printed.
///
/// - Parameters:
///   - environment: added to the inherited one; a nil value removes the name.
///   - timeout: the program is killed and `TimedOut` thrown after that long.
public func run(
    _ program: String, _ arguments: [String] = [], under allocator: Allocator = .percolate(),
    environment: [String: String?] = [:], directory: URL? = nil, timeout: Duration = .seconds(120)
) async throws -> Outcome {
    var added = allocator.environment
    for (name, value) in environment { added[Environment.Key(stringLiteral: name)] = value }
    let updates = added
    return try await withThrowingTaskGroup(of: Outcome?.self) { group in
        group.addTask {
            var options = PlatformOptions()
            options.createSession = true
            options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)]
            let result = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program),
                arguments: Arguments(arguments), environment: .inherit.updating(updates),
                workingDirectory: directory.map { FilePath($0.path) }, platformOptions: options,
                output: .string(limit: 16 << 20), error: .string(limit: 16 << 20))
            var exitCode: Int32?
            var signal: Int32?
            switch result.terminationStatus {
            case .exited(let code): exitCode = code
            case .signaled(let number): signal = number
            }
            return Outcome(
                exitCode: exitCode, signal: signal, output: result.standardOutput,
                errors: result.standardError)
        }
        group.addTask {
            try await Task.sleep(for: timeout)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let outcome = first else {
            throw TimedOut(description: "\(program) \(arguments.joined(separator: " ")): no end after \(timeout)")
        }
        return outcome
    }
}
