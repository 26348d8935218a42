import Foundation
import TestSupport
import Testing

/// `percolate top` in a real terminal.
@Suite struct TopTests {
    /// A terminal of tmux, on a server of its own.
    private final class Screen: Sendable {
        let server = "percolate-\(UUID().uuidString)"

        init(_ arguments: [String], columns: Int, rows: Int) async throws {
            let command = ([Checkout.command] + arguments).map { "'\($0)'" }.joined(separator: " ")
            // The shell stays when the command has ended, so that what it leaves on the screen can
            // be seen.
            let outcome = try await tmux(
                "-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", String(rows),
                "\(command); echo end $?; cat")
            try #require(outcome.succeeded, "\(outcome)")
        }

        func tmux(_ arguments: String...) async throws -> Outcome {
            try await run("tmux", ["-L", server, "-u"] + arguments, under: .glibc)
        }

        /// The screen, once `isRight` says so, or as it is after ten seconds.
        func lines(until isRight: ([Substring]) -> Bool) async throws -> [Substring] {
            var lines: [Substring] = []
            for _ in 0..<100 {
                lines = try await tmux("capture-pane", "-p").output.split(
                    separator: "\n", omittingEmptySubsequences: false)
                if isRight(lines) { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            return lines
        }

        func close() async throws { _ = try await tmux("kill-server") }
    }

    private func observed(_ mode: String) async throws -> BackgroundProgram {
        let program = try await Compiler.shared.executable("Command/observed.c")
        let process = try BackgroundProgram(program, [mode], library: Checkout.library)
        _ = process.line()
        return process
    }

    @Test func theScreenMovesAndKeysWork() async throws {
        let program = try await observed("fork")
        let screen = try await Screen(
            ["top", String(program.processID), "--interval", "0.2"], columns: 110, rows: 36)
        let isMoving: ([Substring]) -> Bool = { lines in
            lines.contains { $0.hasPrefix("refills ") && !$0.contains(" -") }
                && lines.filter { $0.contains("████") }.count >= 3
        }
        let lines = try await screen.lines(until: isMoving)
        #expect(isMoving(lines), "\(lines)")
        #expect(lines[0].contains("process \(program.processID)"))
        #expect(lines[1].contains("application ") && lines[1].contains("free pages "))
        #expect(lines.contains { $0.hasPrefix(" size class ") })
        #expect(lines.contains { $0.hasPrefix("      large ") })
        #expect(lines.contains { $0.hasPrefix("        cpu ") && $0.contains("refills/s") })
        #expect(lines.allSatisfy { $0.count <= 110 })
        _ = try await screen.tmux("send-keys", "t")
        let trimmed = try await screen.lines { $0.contains { $0.hasPrefix("trimmed") } }
        #expect(trimmed.contains { $0.hasPrefix("trimmed") }, "\(trimmed)")
        // A smaller window has fewer lines, and none that is too long.
        _ = try await screen.tmux("resize-window", "-x", "50", "-y", "14")
        let small = try await screen.lines { $0.contains { $0.hasPrefix("q quits") } }
        #expect(
            small.contains { $0.hasPrefix("q quits") } && small.allSatisfy { $0.count <= 50 },
            "\(small)")
        _ = try await screen.tmux("send-keys", "q")
        let after = try await screen.lines { $0.first == "end 0" }
        #expect(after.first == "end 0", "the screen from before is back: \(after)")
        try await screen.close()
        try program.tell("end")
        #expect(program.end() == 0)
    }

    @Test func aProcessThatEndsEndsIt() async throws {
        let program = try await observed("wait")
        let screen = try await Screen(
            ["top", String(program.processID), "--interval", "0.2"], columns: 100, rows: 30)
        _ = try await screen.lines { $0[0].hasPrefix("percolate top") }
        try program.tell("end")
        #expect(program.end() == 0)
        let lines = try await screen.lines { $0.contains("end 1") }
        #expect(lines.contains("end 1"), "\(lines)")
        #expect(
            lines.contains { $0.hasPrefix("percolate: ") && $0.contains("\(program.processID)") })
        try await screen.close()
    }

    @Test func withoutATerminalItSaysWhatToUse() async throws {
        let program = try await observed("wait")
        let outcome = try await CommandRun.command(["top", String(program.processID)])
        #expect(
            outcome.exitCode == 1 && outcome.errors.contains("top needs a terminal"), "\(outcome)")
    }
}
