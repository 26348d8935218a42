import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A program that is traced gets, gives and ends as without the trace.
@Suite(.enabled(if: TraceRun.isPermitted, TraceRun.needs))
struct TraceTransparencyTests {
    private static let shell = "/bin/sh"

    @Test(arguments: [0, 1, 42, 255])
    func exitStatusIsPassedOn(status: Int32) async throws {
        #expect(try await TraceRun.run(["--summary"], [Self.shell, "-c", "exit \(status)"]).exitCode == status)
    }

    @Test(arguments: [SIGKILL, SIGSEGV, SIGTERM, SIGPIPE, SIGINT])
    func deathBySignalIsSeenAsSuch(signal: Int32) async throws {
        let outcome = try await TraceRun.run(["--summary"], [Self.shell, "-c", "ulimit -c 0; kill -\(signal) $$"])
        #expect(outcome.signal == signal)
    }

    @Test func standardStreamsAreTheProgramsOwn() async throws {
        let launch = TraceRun.arguments(["--summary"], ["cat"]).joined(separator: " ")
        let script = "head -c 300000 /dev/zero | \(Checkout.command) \(launch) | wc -c"
        let outcome = try await TestSupport.run(Self.shell, ["-c", script], under: .glibc)
        #expect(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines) == "300000")
        #expect(outcome.errors.contains("refills"))
    }

    /// Streams, signals, limits and other files: as without the command.
    @Test(arguments: ["", "<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    func programInheritsNothingOfTheTrace(redirection: String) async throws {
        let folder = try TemporaryFolder()
        let probe = """
            { for d in /proc/self/fd/*; do [ $d = /proc/self/fd/9 ] || [ ! -e $d ] || echo ${d##*/}; done
            grep -E 'Sig(Blk|Ign)' /proc/self/status; ulimit -n; } 9> "$0" >&9 2>&9
            """
        func inherited(_ launcher: [String], _ file: String) async throws -> String {
            let outcome = try await TestSupport.run(
                Self.shell,
                ["-c", "ulimit -Sn 300; trap '' CHLD USR1; \"$@\" \(redirection)", "sh"] + launcher
                    + ["/bin/bash", "-c", probe, file],
                under: .glibc)
            #expect(outcome.succeeded, "\(outcome.errors)")
            return try String(contentsOfFile: file, encoding: .utf8)
        }
        let plain = try await inherited([], folder.path("plain"))
        let launcher = [Checkout.command] + TraceRun.arguments(["--output", folder.path("trace")], [])
        #expect(plain.contains("\n300\n"))
        #expect(try await inherited(launcher, folder.path("traced")) == plain)
        #expect(try String(contentsOfFile: folder.path("trace"), encoding: .utf8).contains("refill"))
    }

    @Test func signalSentToTheCommandReachesTheProgram() async throws {
        let program = try await Compiler.shared.executable("Command/await_interrupt.c")
        let result = try await Subprocess.run(
            .path(FilePath(Checkout.command)),
            arguments: Arguments(TraceRun.arguments(["--summary"], [program, "handle"])),
            environment: .inherit.updating(["LD_PRELOAD": nil, "PERCOLATE_OPTIONS": nil]),
            input: .none, output: .sequence, error: .discarded
        ) { execution in
            var lines: [String] = []
            for try await line in execution.standardOutput.strings() {
                lines.append(line)
                if line == "ready" { try execution.send(signal: .interrupt) }
            }
            return lines
        }
        #expect(result.closureResult == ["ready", "interrupted"])
        #expect(result.terminationStatus == .exited(42))
    }

    @Test func libraryThatIsPreloadedAlreadyIsNotLoadedTwice() async throws {
        let outcome = try await CommandRun.command(
            TraceRun.arguments(["--summary"], ["grep", "-c", "r-xp.*libpercolate_malloc", "/proc/self/maps"]),
            environment: ["LD_PRELOAD": Checkout.library])
        #expect(outcome.output == "1\n", "\(outcome.output)")
    }

    @Test func copyOfTheLibraryIsTakenAway() async throws {
        let folder = try TemporaryFolder()
        let environment: [String: String?] = ["TMPDIR": folder.url.path]
        let during = try await TraceRun.run(["--summary"], ["ls", folder.url.path], environment: environment)
        #expect(during.output.hasPrefix("percolate-trace-"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
        let failed = try await TraceRun.run([], ["/nowhere/at-all"], environment: environment)
        #expect(failed.exitCode == 127)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
    }

    /// The command ends with the program, whose descendants must find a library all the same.
    @Test func descendantsThatOutliveTheProgramStillRun() async throws {
        let folder = try TemporaryFolder()
        let script = "(sleep 1; /bin/echo later >\"$0\" 2>&1) >/dev/null 2>&1 & exit 3"
        let outcome = try await TraceRun.run(
            ["--summary"], [Self.shell, "-c", script, folder.path("later")], environment: ["TMPDIR": folder.url.path])
        #expect(outcome.exitCode == 3)
        #expect(outcome.errors.contains("go on without a trace, and need \(folder.url.path)/percolate-trace-"))
        for _ in 0..<100 where !FileManager.default.fileExists(atPath: folder.path("later")) {
            try await Task.sleep(for: .milliseconds(100))
        }
        try await Task.sleep(for: .milliseconds(200))
        // The loader would complain here of a library that is gone.
        #expect(try String(contentsOfFile: folder.path("later"), encoding: .utf8) == "later\n")
    }
}
