import TestSupport
import Testing

/// Wrong usage gets a sentence and a failure, and nothing is run.
@Suite struct UsageTests {
    @Test(arguments: [
        (["frobnicate"], "frobnicate"), (["--frobnicate"], "--frobnicate"),
        (["run"], "No program"), (["run", "--"], "No program"), (["run", "--stats"], "No program"),
        (["run", "--frobnicate", "--", "echo", "ran"], "--frobnicate"),
        (["run", "--frobnicate", "echo", "ran"], "--frobnicate"),
        (["run", "-o", "--", "echo", "ran"], "-o"), (["run", "-o", "novalue", "--", "echo", "ran"], "novalue"),
        (["run", "-o", "=1", "--", "echo", "ran"], "=1"), (["run", "-o", "a=1,b=2", "--", "echo", "ran"], "a=1,b=2"),
        (["run", "--library", "", "--", "echo", "ran"], "--library"),
        (["trace"], "No program"),
        (["trace", "--events", "vector,frobnicate", "--", "echo", "ran"], "vector,frobnicate"),
        (["trace", "--events", "", "--", "echo", "ran"], "--events"),
        (["trace", "--output", "--", "echo"], "--output"),
        (["trace", "--frobnicate", "echo", "ran"], "--frobnicate"),
        (["doctor", "--frobnicate"], "--frobnicate"), (["doctor", "now"], "now"),
    ])
    func unknownThingsAreRefusedByName(arguments: [String], name: String) async throws {
        let outcome = try await CommandRun.command(arguments)
        #expect(outcome.exitCode == 64)
        #expect(outcome.output == "")
        #expect(outcome.errors.contains("Error: ") && outcome.errors.contains(name), "\(outcome.errors)")
    }

    @Test func versionIsPrinted() async throws {
        let outcome = try await CommandRun.command(["--version"])
        #expect(outcome.succeeded)
        #expect(outcome.output.contains(/^percolate \d+\.\d+\.\d+\n$/))
    }

    @Test(arguments: [[], ["--help"], ["-h"], ["help"]])
    func helpNamesTheSubcommands(arguments: [String]) async throws {
        let outcome = try await CommandRun.command(arguments)
        #expect(outcome.succeeded)
        #expect(outcome.output.contains("USAGE: percolate"))
        for name in ["run", "trace", "doctor"] { #expect(outcome.output.contains("\n  \(name) ")) }
        #expect(!outcome.output.contains("doctor-probe"))
    }

    @Test func helpOfRunNamesItsOptions() async throws {
        let outcome = try await CommandRun.command(["run", "--help"])
        #expect(outcome.succeeded)
        for option in ["--stats[=<file>]", "--hardened", "-o, --option", "--library"] {
            #expect(outcome.output.contains(option))
        }
        for key in ["stats", "hardened", "cache", "release", "background", "huge", "reserve", "rseq", "index"] {
            #expect(outcome.output.contains(try Regex("\n\(key)=[^\n]+: ")), "\(key)")
        }
    }

    @Test func helpOfTraceNamesItsOptionsAndTheKindsOfEvents() async throws {
        let outcome = try await CommandRun.command(["trace", "--help"])
        #expect(outcome.succeeded)
        for option in [
            "--events <kind,...>", "--summary", "--output <file>", "--hardened", "-o, --option", "--library",
        ] {
            #expect(outcome.output.contains(option))
        }
        for kind in ["vector", "operation", "move", "gate", "fallback", "abort", "refill", "drain", "steal", "span"] {
            #expect(outcome.output.contains("\(kind),"))
        }
    }

    /// With and without `--` before it, whatever follows the program belongs to it.
    @Test(arguments: [["--"], []])
    func optionsAfterTheProgramAreThePrograms(separator: [String]) async throws {
        let library = try await CommandRun.contractLibrary()
        let arguments = ["run", "-o", "cache=1M", "--library", library, "--hardened"] + separator
        let program = ["printf", "[%s]", "--stats", "--help", "--", "-o", "--version"]
        let outcome = try await CommandRun.command(arguments + program)
        #expect(outcome.succeeded)
        #expect(outcome.output == "[--stats][--help][--][-o][--version]")
        #expect(outcome.errors == "")
    }
}
