import Foundation
import TestSupport
import Testing

/// A program that cannot be started is told from one that fails: by exit status and one sentence.
@Suite struct StartFailureTests {
    private func expect(_ outcome: Outcome, exitCode: Int32, saying words: String...) {
        #expect(outcome.exitCode == exitCode)
        #expect(outcome.errors.hasPrefix("percolate: cannot run "))
        #expect(outcome.errors.split(separator: "\n").count == 1)
        for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
    }

    @Test(arguments: ["/nowhere/at-all", "no-program-has-this-name", ""])
    func missingProgramGives127(program: String) async throws {
        expect(
            try await CommandRun.run([], [program]), exitCode: 127, saying: "run \(program):",
            "No such file or directory")
    }

    @Test func missingInterpreterIsNamed() async throws {
        let folder = try TemporaryFolder()
        let script = try folder.script("#! /nowhere/interpreter -x\n")
        expect(
            try await CommandRun.run([], [script]), exitCode: 127,
            saying: "its interpreter /nowhere/interpreter does not exist")
        let program = try folder.copy(of: try await Compiler.shared.executable("Command/greet.c"))
        try ELFPatch.replace("/lib64/ld-linux", by: "/nowhere/linux!", in: program)
        let outcome = try await CommandRun.run([], [program])
        #expect(outcome.exitCode == 127)
        #expect(outcome.errors.contains("its interpreter /nowhere/linux!"))
    }

    @Test func programThatMayNotBeExecutedGives126() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path("plain")
        try "text".write(toFile: file, atomically: true, encoding: .utf8)
        expect(try await CommandRun.run([], [file]), exitCode: 126, saying: file, "Permission denied")
        expect(try await CommandRun.run([], [folder.url.path]), exitCode: 126, saying: "Permission denied")
    }

    @Test func fileWithoutFormatIsRunByTheShellAsEverywhere() async throws {
        let folder = try TemporaryFolder()
        let script = try folder.script("echo $# \"$1\"; exit 9\n")
        let outcome = try await CommandRun.run([], [script, "a b"])
        #expect(outcome.output == "1 a b\n")
        #expect(outcome.exitCode == 9)
        #expect(outcome.errors == "")
    }

    /// However an executable is cut off, the command neither fails over it nor changes what comes
    /// of executing it.
    @Test func damagedExecutablesEndAsTheyWouldWithoutTheCommand() async throws {
        let folder = try TemporaryFolder()
        let whole = try Data(contentsOf: URL(filePath: try await Compiler.shared.executable("Command/greet.c")))
        let lengths = Array(0...20) + [40, 57, 63, 64, 65, 120, 500, 700, 900, 1100, 1300, 4000, 9000, 12000, 12500]
        for length in lengths where length < whole.count {
            let path = folder.path("cut-\(length)")
            try whole.prefix(length).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            // A shell takes some of them for scripts, whose redirections leave files.
            let plain = try await TestSupport.run("/usr/bin/env", [path], under: .glibc, directory: folder.url)
            let outcome = try await CommandRun.run([], [path], directory: folder.url)
            #expect(outcome.exitCode == plain.exitCode && outcome.signal == plain.signal, "cut to \(length) bytes")
            #expect(outcome.output == plain.output)
        }
    }
}
