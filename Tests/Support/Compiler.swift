import Foundation
import Subprocess
import Synchronization

/// A test program did not compile.
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
    /// `source` ends in `.c` (compiled by `cc`), `.cpp` (by `c++`) or `.swift` (by `swiftc`).
    public func executable(_ source: String, flags: [String] = []) async throws -> String {
        let key = ([source] + flags).joined(separator: " ")
        if let task = built[key] { return try await task.value }
        let target = folder.appending(path: "\(built.count)-\((source as NSString).lastPathComponent)").path + ".out"
        let folder = folder
        let task = Task {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = Checkout.programs.appending(path: source).path
            let compiler: String
            var arguments: [String]
            if source.hasSuffix(".swift") {
                compiler = "swiftc"
                arguments = ["-O", "-g", "-parse-as-library"]
            } else {
                compiler = source.hasSuffix(".cpp") ? "c++" : "cc"
                // The optimiser must not see through malloc and free: most tests are about calls
                // that it would remove.
                arguments = ["-O1", "-g", "-fno-builtin", "-pthread"]
            }
            arguments += ["-o", target, file] + flags + ["-ldl"]
            let outcome = try await run(compiler, arguments, under: .glibc)
            guard outcome.succeeded else { throw DoesNotCompile(description: outcome.errors) }
            return target
        }
        built[key] = task
        return try await task.value
    }
}
