import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A program cannot tell that it was started by the command, nor can its parent.
@Suite struct TransparencyTests {
    private static let shell = "/bin/sh"

    @Test func programIsGivenWhatItWouldBeGivenWithoutTheCommand() async throws {
        let program = try await Compiler.shared.executable("Command/show_process.c")
        let arguments = ["", "two words", "--stats", "--", "-h", "--help", "*", "\"'\\", "ü\n", ""]
        let environment: [String: String?] = ["EMPTY": "", "WORDS": "a b  c", "LINES": "1\n2"]
        let plain = try await TestSupport.run(program, arguments, under: .glibc, environment: environment)
        let outcome = try await CommandRun.run([], [program] + arguments, environment: environment)
        let added = "environment [LD_PRELOAD=\(try await CommandRun.contractLibrary())]"
        #expect(plain.succeeded && outcome.succeeded)
        #expect(outcome.errors == "")
        #expect(outcome.output.contains("argument 9 [two words]"))
        // Swift's dictionaries have no order, and so the environment of a test's child has none.
        func lines(_ outcome: Outcome) -> [Substring] {
            let lines = outcome.output.split(separator: "\n").filter { $0 != added }
            return lines.filter { !$0.hasPrefix("environment") } + lines.filter { $0.hasPrefix("environment") }.sorted()
        }
        #expect(outcome.output.contains(added))
        #expect(lines(outcome) == lines(plain))
    }

    @Test func argumentsThatAreNotUTF8ArriveUnchanged() async throws {
        let command = try await CommandRun.arguments([], ["printf", "%s"]).joined(separator: " ")
        let script = "\(Checkout.command) \(command) \"$(printf '\\377\\200')\" | od -An -tx1"
        let outcome = try await TestSupport.run("/bin/bash", ["-c", script], under: .glibc)
        #expect(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines) == "ff 80")
    }

    @Test func environmentThatIsNotUTF8ArrivesUnchanged() async throws {
        let arguments = try await CommandRun.arguments(["--hardened"], ["printenv", "ODD", "PERCOLATE_OPTIONS"])
        let script = """
            ODD=$(printf '\\377') PERCOLATE_OPTIONS=$(printf 'odd=\\376') \
            \(Checkout.command) \(arguments.joined(separator: " ")) | od -An -c
            """
        let outcome = try await TestSupport.run("/bin/bash", ["-c", script], under: .glibc)
        let bytes = outcome.output.split { " \n".contains($0) }.joined()
        #expect(bytes == "377\\nodd=376,hardened=1\\n")
    }

    @Test func standardStreamsAreTheProgramsOwn() async throws {
        let arguments = try await CommandRun.arguments([], ["cat"]).joined(separator: " ")
        let script = "head -c 300000 /dev/zero | \(Checkout.command) \(arguments) | wc -c"
        let outcome = try await TestSupport.run(Self.shell, ["-c", script], under: .glibc)
        #expect(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines) == "300000")
    }

    @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    func closedStandardStreamsStayClosed(redirection: String) async throws {
        let folder = try TemporaryFolder()
        let probe = "for d in 0 1 2; do [ -e /proc/self/fd/$d ] && echo $d >&3; done 3> \"$0\"; true"
        func openStreams(_ launcher: [String], _ file: String) async throws -> String {
            let launch = launcher + [Self.shell, "-c", probe, file]
            let outcome = try await TestSupport.run(
                Self.shell, ["-c", "\"$@\" \(redirection)", "sh"] + launch, under: .glibc)
            #expect(outcome.succeeded)
            return try String(contentsOfFile: file, encoding: .utf8)
        }
        let launcher = [Checkout.command] + (try await CommandRun.arguments([], []))
        let plain = try await openStreams([], folder.path("plain"))
        #expect(plain.split(separator: "\n").count == 3 - redirection.split(separator: " ").count)
        #expect(try await openStreams(launcher, folder.path("launched")) == plain)
    }

    @Test func programKeepsTheProcessIdentifier() async throws {
        let arguments = try await CommandRun.arguments([], [Self.shell, "-c", "echo $$"]).joined(separator: "' '")
        let script = "echo $$; exec '\(Checkout.command)' '\(arguments)'"
        let outcome = try await TestSupport.run(Self.shell, ["-c", script], under: .glibc)
        let identifiers = outcome.output.split(separator: "\n")
        #expect(identifiers.count == 2 && identifiers.first == identifiers.last)
    }

    @Test func everyExitStatusIsPassedOn() async throws {
        for status in Int32(0)...255 {
            let outcome = try await CommandRun.run([], [Self.shell, "-c", "exit \(status)"])
            #expect(outcome.exitCode == status)
        }
    }

    @Test(arguments: [SIGKILL, SIGSEGV, SIGTERM, SIGABRT, SIGINT, SIGPIPE])
    func deathBySignalIsSeenAsSuch(signal: Int32) async throws {
        let outcome = try await CommandRun.run([], [Self.shell, "-c", "ulimit -c 0; kill -\(signal) $$"])
        #expect(outcome.signal == signal)
        #expect(outcome.exitCode == nil)
    }

    @Test func interruptReachesAProgramThatHandlesIt() async throws {
        #expect(try await interrupted(["handle"]) == ["ready", "interrupted", "status 42"])
    }

    @Test func interruptEndsAProgramThatDoesNotHandleIt() async throws {
        #expect(try await interrupted([]) == ["ready", "status \(128 + SIGINT)"])
    }

    /// Runs the program from a shell, as at a terminal, interrupts the whole process group once it
    /// is ready, and gives what both printed.
    private func interrupted(_ arguments: [String]) async throws -> [String] {
        let program = try await Compiler.shared.executable("Command/await_interrupt.c")
        let launch = [Checkout.command] + (try await CommandRun.arguments([], [program] + arguments))
        let script = "trap : INT; \"$@\"; echo status $?"
        var options = PlatformOptions()
        options.createSession = true
        let result = try await Subprocess.run(
            .path(FilePath(Self.shell)), arguments: Arguments(["-c", script, "sh"] + launch),
            environment: .inherit.updating(["LD_PRELOAD": nil, "PERCOLATE_OPTIONS": nil]), platformOptions: options,
            input: .none, output: .sequence, error: .discarded
        ) { execution in
            var lines: [String] = []
            for try await line in execution.standardOutput.strings() {
                lines.append(line)
                if line == "ready" { try execution.send(signal: .interrupt, toProcessGroup: true) }
            }
            return lines
        }
        return result.closureResult
    }
}
