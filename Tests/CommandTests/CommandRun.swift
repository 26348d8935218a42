import Foundation
import TestSupport

/// Runs of the command under test.
enum CommandRun {
    /// The stand-in for the allocator that keeps its contract about statistics and does nothing
    /// else: with it, these tests judge the command alone.
    static func contractLibrary() async throws -> String {
        try await Compiler.shared.executable("Command/contract_library.c", flags: ["-shared", "-fPIC"])
    }

    /// The arguments that run `program` under the stand-in.
    static func arguments(_ options: [String] = [], _ program: [String]) async throws -> [String] {
        ["run", "--library", try await contractLibrary()] + options + ["--"] + program
    }

    /// Runs `percolate run` with the stand-in and `options` on a program.
    static func run(
        _ options: [String] = [], _ program: [String], environment: [String: String?] = [:], directory: URL? = nil
    ) async throws -> Outcome {
        try await TestSupport.run(
            Checkout.command, arguments(options, program), under: .glibc, environment: environment, directory: directory
        )
    }

    /// Runs the command with just these arguments.
    static func command(_ arguments: [String], environment: [String: String?] = [:]) async throws -> Outcome {
        try await TestSupport.run(Checkout.command, arguments, under: .glibc, environment: environment)
    }

    /// Whether the stand-in was loaded into the program: then its statistics are on standard error.
    static func serves(_ program: [String], environment: [String: String?] = [:]) async throws -> Bool {
        let outcome = try await run(["--stats"], program, environment: environment)
        return outcome.errors.contains("percolate statistics")
    }
}

extension TemporaryFolder {
    /// Writes a script that may be executed.
    func script(_ text: String, name: String = "script") throws -> String {
        try text.write(to: url.appending(path: name), atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path(name))
        return path(name)
    }

    /// A copy of a file, under its own name.
    func copy(of file: String) throws -> String {
        let copy = path(URL(filePath: file).lastPathComponent)
        try FileManager.default.copyItem(atPath: file, toPath: copy)
        return copy
    }
}
