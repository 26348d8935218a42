import Foundation
import Subprocess
import Synchronization

/// A C or C++ test program did not compile.
public struct DoesNotCompile: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
}

/// Compiles test programs once per test run.
public actor Compiler {
    public static let shared = Compiler()

    private let folder = RunFolder.url
    private var built: [String: Task<String, any Error>] = [:]

    /// The path of the executable built from `Tests/Programs/<source>`.
    ///
    /// `source` ends in `.c` (compiled by `cc`) or `.cpp` (by `c++`).
    public func executable(_ source: String, flags: [String] = []) async throws -> String {
        let key = ([source] + flags).joined(separator: " ")
        if let task = built[key] { return try await task.value }
        let target = folder.appending(path: "\(built.count)-\((source as NSString).lastPathComponent)").path + ".out"
        let folder = folder
        let task = Task {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let compiler = source.hasSuffix(".cpp") ? "c++" : "cc"
            let file = Checkout.programs.appending(path: source).path
            // The optimiser must not see through malloc and free: most tests are about calls that it would remove.
            let arguments = ["-O1", "-g", "-fno-builtin", "-pthread", "-o", target, file] + flags + ["-ldl"]
            let outcome = try await run(compiler, arguments, under: .glibc)
            guard outcome.succeeded else { throw DoesNotCompile(description: outcome.errors) }
            return target
        }
        built[key] = task
        return try await task.value
    }
}
