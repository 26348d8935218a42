import Foundation
import TestSupport
import Testing

/// Where `--stats` sends statistics. The stand-in keeps the allocator's side of the contract.
@Suite struct StatisticsOptionTests {
    @Test func withoutAFileTheyGoToStandardError() async throws {
        let outcome = try await CommandRun.run(["--stats"], ["echo", "hello"])
        #expect(outcome.output == "hello\n")
        #expect(outcome.errors.hasPrefix("percolate statistics\n"))
        #expect(Statistics(outcome.errors).values["process_name"] == "echo")
    }

    @Test func valueIsOptionalAsInGNUPrograms() async throws {
        // The next argument is the program, not the option's value.
        let library = try await CommandRun.contractLibrary()
        let outcome = try await CommandRun.command(["run", "--library", library, "--stats", "echo", "hello"])
        #expect(outcome.output == "hello\n")
        #expect(outcome.errors.hasPrefix("percolate statistics\n"))
    }

    @Test func programsStatisticsGetTheNameAndChildrensOneOfTheirOwn() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path("statistics")
        let script = "echo $$; /bin/echo child; /bin/bash -c '/bin/true; exit 0'; cd /; exit 3"
        let outcome = try await CommandRun.run(
            ["--stats=statistics"], ["/bin/bash", "-c", script], directory: folder.url)
        #expect(outcome.exitCode == 3)
        #expect(outcome.errors == "")
        let program = Statistics(try String(contentsOfFile: file, encoding: .utf8))
        #expect(program.values["process_id"] == outcome.output.split(separator: "\n").first.map(String.init))
        #expect(program.values["process_name"] == "bash")
        let children = try Statistics.all(prefix: file)
        #expect(children.contains { $0.values["process_name"] == "echo" })
        #expect(children.allSatisfy { $0.values["process_id"] != program.values["process_id"] })
    }

    @Test func nestedRunDoesNotOverwriteTheOuterOnesFile() async throws {
        let folder = try TemporaryFolder()
        let inner = [Checkout.command] + (try await CommandRun.arguments([], ["/bin/echo", "inner"]))
        let script = "\"$@\"; exit 0"
        let file = folder.path("statistics")
        let outcome = try await CommandRun.run(["--stats=\(file)"], ["/bin/bash", "-c", script, "bash"] + inner)
        #expect(outcome.output == "inner\n")
        #expect(Statistics(try String(contentsOfFile: file, encoding: .utf8)).values["process_name"] == "bash")
    }

    @Test func statisticsOfAnEarlierRunAreNotTakenForThisOnes() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path("statistics")
        try "percolate statistics\nserved_blocks 99\n".write(toFile: file, atomically: true, encoding: .utf8)
        let outcome = try await CommandRun.run(["--stats=\(file)"], ["/bin/sh", "-c", "kill -9 $$"])
        #expect(outcome.signal == SIGKILL)
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test func streamsAndPipesMayBeNamed() async throws {
        let outcome = try await CommandRun.run(["--stats=/dev/stderr"], ["true"])
        #expect(outcome.errors.hasPrefix("percolate statistics\n"))
    }

    @Test func fileThatCannotBeWrittenIsSaidBeforeTheProgramRuns() async throws {
        let folder = try TemporaryFolder()
        let cases = [
            (folder.path("no/such/folder"), "No such file or directory"), (folder.url.path, "Is a directory"),
            (folder.path("a,b"), "comma"),
        ]
        for (path, reason) in cases {
            let outcome = try await CommandRun.run(["--stats=\(path)"], ["echo", "ran"])
            #expect(outcome.exitCode == 125)
            #expect(outcome.output == "")
            #expect(outcome.errors.hasPrefix("percolate: cannot write statistics to "))
            #expect(outcome.errors.contains(reason))
        }
    }

    /// With the allocator itself. The programs of coreutils close standard error before destructors
    /// run, dash ends by `_exit`, and neither may cost the user the statistics that were asked for.
    @Test(arguments: [["ls", "/"], ["bash", "-c", "exit 0"], ["dash", "-c", "exit 0"]])
    func programsReportHoweverTheyEnd(program: [String]) async throws {
        let outcome = try await CommandRun.command(["run", "--stats", "--"] + program)
        #expect(outcome.succeeded)
        #expect(outcome.errors.hasPrefix("percolate statistics\n"), "\(outcome.errors)")
        #expect(Statistics(outcome.errors).servedBlocks > 0)
        #expect(Statistics(outcome.errors).values["process_name"] == program[0])
    }

    /// With the allocator itself.
    @Test func servedProgramReportsBlocks() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path("statistics")
        let outcome = try await CommandRun.command([
            "run", "--stats=\(file)", "--", "/bin/bash", "-c", "/bin/ls / > /dev/null; exit 4",
        ])
        #expect(outcome.exitCode == 4)
        #expect(outcome.errors == "")
        let program = Statistics(try String(contentsOfFile: file, encoding: .utf8))
        #expect(program.servedBlocks > 0)
        #expect(try Statistics.all(prefix: file).contains { $0.servedBlocks > 0 && $0.values["process_name"] == "ls" })
    }
}
