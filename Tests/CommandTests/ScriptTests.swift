import Foundation
import TestSupport
import Testing

/// A script is judged by the program that will run it.
@Suite struct ScriptTests {
    private func staticInterpreter() async throws -> String {
        try await Compiler.shared.executable("Command/greet.c", flags: ["-static"])
    }

    private func outcome(_ text: String, environment: [String: String?] = [:]) async throws -> Outcome {
        let folder = try TemporaryFolder()
        return try await CommandRun.run(["--stats"], [try folder.script(text), "a b"], environment: environment)
    }

    @Test(arguments: [
        "#!/bin/bash", "#! /bin/bash -e", "#!\t/bin/bash\t-e ", "#!/usr/bin/env bash", "#!/usr/bin/env -S bash -e",
    ])
    func scriptOfAnOrdinaryInterpreterIsServed(line: String) async throws {
        let outcome = try await outcome("\(line)\necho $# \"$1\"\n")
        #expect(outcome.output == "1 a b\n", "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("percolate statistics\n"), "\(outcome.errors)")
    }

    @Test func scriptOfAStaticInterpreterIsNotServed() async throws {
        let interpreter = try await staticInterpreter()
        let outcome = try await outcome("#!\(interpreter) -x\n")
        #expect(outcome.output == "hello\n")
        #expect(
            outcome.errors.contains(
                "script will not be served by Percolate because its interpreter \(interpreter) is a static executable"))
        #expect(!outcome.errors.contains("percolate statistics"))
    }

    @Test(arguments: ["#!/usr/bin/env only-here", "#!/usr/bin/env -S A=1 only-here -x"])
    func programThatEnvWillFindIsJudged(line: String) async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: try await staticInterpreter(), toPath: folder.path("only-here"))
        let outcome = try await outcome("\(line)\n", environment: ["PATH": "/nowhere:\(folder.url.path):/usr/bin:/bin"])
        #expect(outcome.output == "hello\n")
        #expect(outcome.errors.contains("because its interpreter \(folder.path("only-here")) is a static executable"))
    }

    @Test(arguments: ["-i", "-u LD_PRELOAD", "--unset=LD_PRELOAD", "-uLD_PRELOAD", "LD_PRELOAD="])
    func environmentThatEnvClearsIsSeen(option: String) async throws {
        let outcome = try await outcome("#!/usr/bin/env -S \(option) /bin/echo\n")
        #expect(outcome.output.hasSuffix("/script a b\n"))
        #expect(outcome.errors.contains("because env is told to clear the environment, and LD_PRELOAD with it"))
        #expect(!outcome.errors.contains("process_name echo"))
    }

    @Test func scriptOfAScriptIsFollowedToTheEnd() async throws {
        let folder = try TemporaryFolder()
        var interpreter = try await staticInterpreter()
        for depth in 1...3 { interpreter = try folder.script("#!\(interpreter)\n", name: "script-\(depth)") }
        let outcome = try await CommandRun.run(["--stats"], [interpreter])
        #expect(outcome.output == "hello\n")
        #expect(outcome.errors.contains("is a static executable"))
    }

    @Test func scriptsThatInterpretEachOtherEnd() async throws {
        let folder = try TemporaryFolder()
        let first = try folder.script("#!\(folder.path("second"))\n", name: "first")
        _ = try folder.script("#!\(first)\n", name: "second")
        let plain = try await TestSupport.run("/usr/bin/env", [first], under: .glibc)
        let outcome = try await CommandRun.run([], [first])
        #expect(outcome.exitCode == plain.exitCode)
        #expect(outcome.errors.hasPrefix("percolate: cannot run \(first): Too many levels of symbolic links"))
    }

    @Test func bitsOfAScriptGiveNoPrivileges() async throws {
        let folder = try TemporaryFolder()
        let script = try folder.script("#!/bin/bash\necho hello\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o6755], ofItemAtPath: script)
        #expect(try await CommandRun.serves([script]))
    }
}
