import Foundation
import TestSupport
import Testing

/// `percolate stats` and `percolate trim` on running processes.
@Suite struct ObserveTests {
    private struct Figures: Decodable {
        var processID: Int
        var processName: String
        var mode: String
        var servesMalloc: Bool
        var process: [String: Int]
        var sizeClasses: [[String: Int]]
        var cpus: [[String: Int]]

        enum CodingKeys: String, CodingKey {
            case processID = "process_id"
            case processName = "process_name"
            case servesMalloc = "serves_malloc"
            case sizeClasses = "size_classes"
            case mode, process, cpus
        }
    }

    private func observed(_ mode: String = "wait", options: String = "") async throws
        -> BackgroundProgram
    {
        let program = try await Compiler.shared.executable("Command/observed.c")
        return try BackgroundProgram(program, [mode], library: Checkout.library, options: options)
    }

    private func figures(of process: pid_t) async throws -> Figures {
        let outcome = try await CommandRun.command(["stats", String(process), "--format", "json"])
        try #require(outcome.succeeded, "\(outcome)")
        return try JSONDecoder().decode(Figures.self, from: Data(outcome.output.utf8))
    }

    /// What the process says of itself and what is seen from outside are the same numbers.
    @Test(arguments: [
        "", "hardened=1", "rseq=off", "index=mm_cid", "membarrier=off", "release=never",
    ])
    func bytesOfTheApplicationAreExactInAQuietProcess(options: String) async throws {
        let program = try await observed(options: options)
        let said = Int(try #require(program.line()))
        let seen = try await figures(of: program.processID)
        #expect(seen.process["application_bytes"] == said)
        #expect(seen.processID == Int(program.processID))
        #expect(seen.processName.hasSuffix("observed.c.out"))
        #expect(seen.servesMalloc)
        #expect(seen.process["large_allocations"] == 10 && seen.process["large_frees"] == 5)
        let classes = seen.sizeClasses.map {
            ($0["blocks"] ?? 0) - ($0["free_blocks"] ?? 0) - ($0["cached_blocks"] ?? 0)
        }
        #expect(classes.allSatisfy { $0 >= 0 })
        let used = zip(classes, seen.sizeClasses).reduce(0) {
            $0 + $1.0 * ($1.1["block_bytes"] ?? 0)
        }
        // Canaries, and blocks that wait in quarantine, are in the classes and not the
        // application's.
        let sum = used + (seen.process["large_bytes"] ?? 0)
        #expect(options == "hardened=1" ? try sum > #require(said) : sum == said)
        #expect(
            seen.process["cached_bytes"] == seen.cpus.reduce(0) { $0 + ($1["cached_bytes"] ?? 0) })
        #expect((options == "hardened=1") == (seen.mode == "hardened"))
        try program.tell("end")
        #expect(program.line().flatMap { Int($0) } == said)
        #expect(program.end() == 0)
    }

    @Test func everyFormatAndEveryPlaceHasTheSameNames() async throws {
        let program = try await observed()
        _ = program.line()
        let names = Set(try await figures(of: program.processID).process.keys)
        #expect(names.count > 25)
        let text = try await CommandRun.command(["stats", String(program.processID)]).output
        let prometheus = try await CommandRun.command([
            "stats", String(program.processID), "--format", "prometheus",
        ])
        .output
        let folder = try TemporaryFolder()
        for name in ["at-end.json", "at-end.prom"] {
            _ = try await CommandRun.command([
                "run", "--stats=\(folder.path(name))", "--", "/bin/ls", "/",
            ])
        }
        let atEnd = try JSONDecoder().decode(
            Figures.self, from: Data(contentsOf: folder.url.appending(path: "at-end.json")))
        #expect(Set(atEnd.process.keys) == names)
        let endPrometheus = try String(contentsOfFile: folder.path("at-end.prom"), encoding: .utf8)
        for name in names {
            #expect(text.contains("\n\(name) "), "\(name)")
            for page in [prometheus, endPrometheus] {
                #expect(
                    page.contains("\npercolate_\(name) ")
                        || page.contains("\npercolate_\(name)_total "), "\(name)")
            }
        }
        #expect(Statistics(text)["application_bytes"] > 0)
    }

    @Test func aProgramThatItsCacheServesAloneTrimsWhenItIsAsked() async throws {
        let program = try await observed("loop")
        _ = program.line()
        let before = try await figures(of: program.processID).process
        let outcome = try await CommandRun.command(["trim", String(program.processID)])
        #expect(outcome.succeeded && outcome.output.contains("released"), "\(outcome)")
        let after = try await figures(of: program.processID).process
        #expect(after["released_bytes", default: 0] > before["released_bytes", default: 0])
        // The fast path is back: a loop of pairs fills no cache.
        let later = try await figures(of: program.processID).process
        try await Task.sleep(for: .milliseconds(200))
        let last = try await figures(of: program.processID).process
        #expect(last["direct_allocations"] == later["direct_allocations"])
        #expect(last["refills", default: 0] - later["refills", default: 0] < 100)
        try program.tell("end")
        #expect(program.end() == 0)
    }

    @Test func anIdleProgramHasNotTrimmedYetAndTheCommandSaysSo() async throws {
        let program = try await observed()
        _ = program.line()
        let outcome = try await CommandRun.command([
            "trim", String(program.processID), "--seconds", "0.3",
        ])
        #expect(outcome.exitCode == 1)
        #expect(outcome.errors.contains("has not yet done what was asked"), "\(outcome)")
        try program.tell("end")
        #expect(program.end() == 0)
    }

    @Test func severalObserversOfABusyProcessSeeIt() async throws {
        let program = try await observed("fork")
        _ = program.line()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask {
                    for _ in 0..<5 {
                        if number == 0 {
                            _ = try await CommandRun.command(["trim", String(program.processID)])
                        } else {
                            let seen = try await figures(of: program.processID)
                            #expect(seen.process["application_bytes", default: 0] > 1_000_000)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        try program.tell("end")
        #expect(program.end() == 0)
    }

    @Test func theLibrarysFileMayBeGone() async throws {
        let folder = try TemporaryFolder()
        let library = try folder.copy(of: Checkout.library)
        let program = try await Compiler.shared.executable("Command/observed.c")
        let process = try BackgroundProgram(program, library: library)
        let said = Int(try #require(process.line()))
        try FileManager.default.moveItem(atPath: library, toPath: folder.path("gone"))
        try FileManager.default.removeItem(atPath: folder.path("gone"))
        try Data("another file".utf8).write(to: URL(filePath: library))
        #expect(try await figures(of: process.processID).process["application_bytes"] == said)
    }

    @Test func aProcessInAnotherNamespaceOfProcessesIsSeen() async throws {
        let program = try await Compiler.shared.executable("Command/observed.c")
        let script =
            "unshare --user --map-root-user --pid --fork --kill-child --mount-proc sh -c "
            + "'echo started; LD_PRELOAD=\(Checkout.library) exec \(program) loop'"
        let outer = try BackgroundProgram("/bin/sh", ["-c", "exec \(script)"])
        // A kernel or container may allow no namespaces; then there is nothing to look at.
        guard outer.line() == "started" else { return }
        let said = Int(try #require(outer.line()))
        let children = try String(
            contentsOfFile: "/proc/\(outer.processID)/task/\(outer.processID)/children",
            encoding: .utf8)
        let process = try #require(children.split(separator: " ").first.flatMap { pid_t($0) })
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        #expect(status.contains("\t1\n"), "the process is the first of its namespace")
        let seen = try await figures(of: process).process["application_bytes", default: 0]
        #expect(abs(seen - (said ?? 0)) <= 112)
        #expect(try await CommandRun.command(["trim", String(process)]).succeeded)
        try outer.tell("end")
        #expect(outer.end() == 0)
    }

    // MARK: Refusals

    private func refusal(_ arguments: [String]) async throws -> String {
        let outcome = try await CommandRun.command(arguments)
        #expect(outcome.exitCode == 1)
        #expect(outcome.output == "")
        #expect(
            outcome.errors.hasPrefix("percolate: ")
                && outcome.errors.split(separator: "\n").count == 1)
        return outcome.errors
    }

    @Test(arguments: ["stats", "trim", "profile", "top"])
    func whatCannotBeLookedAtIsSaidInOneSentence(command: String) async throws {
        let output = command == "profile" ? ["--format", "folded"] : []
        #expect(try await refusal([command, "4194303"] + output).contains("there is no process"))
        let stranger = try BackgroundProgram("/bin/cat")
        #expect(
            try await refusal([command, String(stranger.processID)] + output).contains(
                "not served by Percolate"))
        let other = try BackgroundProgram(
            try await Compiler.shared.executable(
                "Command/sampled.c",
                flags: [
                    "-rdynamic", "-DVERSION=99",
                    "-I\(Checkout.root.path)/Sources/CPercolate/internal",
                ]))
        #expect(other.line() == "ready")
        let sentence = try await refusal([command, String(other.processID)] + output)
        #expect(sentence.contains("another version") && sentence.contains("99"))
        let ended = try BackgroundProgram("/bin/sh", ["-c", "sleep 0 & exec sleep 60"])
        try await Task.sleep(for: .milliseconds(300))
        let children = try String(
            contentsOfFile: "/proc/\(ended.processID)/task/\(ended.processID)/children",
            encoding: .utf8)
        let child = try #require(children.split(separator: " ").first)
        #expect(try await refusal([command, String(child)] + output).contains("has ended"))
    }

    @Test func aProcessOfAnotherUserIsRefused() async throws {
        // Only root can become somebody else.
        guard geteuid() == 0 else { return }
        let program = try await observed()
        _ = program.line()
        let outcome = try await run(
            "setpriv",
            [
                "--reuid", "65534", "--regid", "65534", "--clear-groups", Checkout.command, "stats",
                String(program.processID),
            ],
            under: .glibc)
        #expect(outcome.exitCode == 1)
        #expect(outcome.errors.contains("it belongs to another user"), "\(outcome)")
    }

    @Test func aNumberThatIsNoProcessIsWrongUsage() async throws {
        for word in ["0", "-1", "x", "99999999999"] {
            #expect(try await CommandRun.command(["stats", word]).exitCode == 64)
        }
    }
}
