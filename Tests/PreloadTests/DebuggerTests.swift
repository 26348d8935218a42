import Foundation
import TestSupport
import Testing

/// A debugger that single-steps, stops and sets breakpoints inside malloc and free arrives.
@Suite(.serialized) struct DebuggerTests {
    @Test func singleStepsArrive() async throws {
        try await StressProgram(name: "step", arguments: ["alone", "100"], timeout: .seconds(300)).expectPass()
    }

    @Test func singleStepsArriveWhileOtherThreadsAllocate() async throws {
        try await StressProgram(name: "step", arguments: ["busy", Effort.isLong ? "15" : "5"]).expectPass()
    }

    @Test(arguments: [["membarrier=off"], ["rseq=off"], ["hardened=1"]])
    func singleStepsArriveInEveryMode(options: [String]) async throws {
        let rounds = Effort.isLong ? "15" : "4"
        try await StressProgram(name: "step", arguments: ["alone", rounds], options: options).expectPass()
    }

    @Test func singleStepsArriveWithOwnRegistration() async throws {
        try await StressProgram(
            name: "step", arguments: ["alone", "4"], environment: ["GLIBC_TUNABLES": "glibc.pthread.rseq=0"]
        ).expectPass()
    }

    @Test func aStoppedThreadStopsOnlyItself() async throws {
        try await StressProgram(name: "stopped", arguments: [Effort.isLong ? "3000" : "300"]).expectPass()
    }

    @Test(.enabled(if: Debugger.isInstalled, "gdb is not installed"))
    func gdbStepsThroughAllocations() async throws {
        let output = try await Debugger.run(
            """
            break operations
            run 400
            stepi 20000
            print completed
            delete
            break *entry_malloc
            continue
            finish
            info symbol $pc
            delete
            break *entry_free
            continue
            finish
            info symbol $pc
            delete
            continue
            """)
        let stepped = output.firstMatch(of: /\$1 = (\d+)/).flatMap { Int($0.output.1) } ?? 0
        #expect(stepped > 0, "no turn was done in 20000 steps: \(output)")
        // After each `finish` the program is back in the loop that called.
        #expect(output.matches(of: /operations(?: \+ \d+)? in section/).count == 2, "\(output)")
        #expect(output.contains("debuggee: 400 arrived"), "\(output)")
    }

    @Test(.enabled(if: Debugger.isInstalled, "gdb is not installed"), arguments: ["entry_malloc", "entry_free"])
    func breakpointsOnEveryInstructionArrive(entry: String) async throws {
        let listing = try await Debugger.run("break before_operations\nrun\nx/24i \(entry)")
        let addresses = listing.matches(of: /0x([0-9a-f]+) <[^>]+>:/).compactMap { UInt($0.output.1, radix: 16) }
        let first = try #require(addresses.first, "gdb lists no instruction: \(listing)")
        try #require(addresses.count == 24, "\(listing)")
        let breakpoints = addresses.enumerated().map { number, address in
            "break *((char *) \(entry) + \(address - first))\nignore \(number + 2) 1000000"
        }
        let output = try await Debugger.run(
            (["break before_operations", "run 100"] + breakpoints + ["continue", "info breakpoints"])
                .joined(separator: "\n"))
        #expect(output.contains("debuggee: 100 arrived"), "\(output)")
        let hits = output.matches(of: /already hit (\d+) times/).compactMap { Int($0.output.1) }.reduce(0, +)
        // Each of the hundred turns makes two calls, which at least enter at the first instruction.
        #expect(hits >= 200, "\(output)")
    }
}

/// gdb in batch mode on `debuggee.c`, with only the debuggee under Percolate.
enum Debugger {
    static let isInstalled = ["/usr/bin/gdb", "/usr/local/bin/gdb"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Runs `commands` and returns all that gdb and the program printed. gdb ends at the first
    /// command that fails.
    static func run(_ commands: String) async throws -> String {
        let program = try await Compiler.shared.executable("Stress/debuggee.c")
        let script = FileManager.default.temporaryDirectory.appending(path: "percolate-\(UUID().uuidString).gdb")
        defer { try? FileManager.default.removeItem(at: script) }
        let settings = """
            set exec-wrapper env LD_PRELOAD=\(Checkout.library)
            set confirm off
            set pagination off
            set breakpoint pending off

            """
        try (settings + commands + "\n").write(to: script, atomically: true, encoding: .utf8)
        let outcome = try await TestSupport.run(
            "gdb", ["-batch", "-nx", "-x", script.path, program], under: .glibc,
            environment: ["DEBUGINFOD_URLS": nil], timeout: .seconds(100))
        return outcome.output + outcome.errors
    }
}
