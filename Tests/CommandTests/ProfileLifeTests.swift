import Foundation
import TestSupport
import Testing

/// `percolate profile` on processes to which things happen meanwhile.
@Suite struct ProfileLifeTests {
    private static func turbulent(_ what: String) async throws -> BackgroundProgram {
        let program = try BackgroundProgram(
            try await Compiler.shared.executable(
                "Sampling/turbulent.c",
                flags: Headers.internalFlags + ["-D_GNU_SOURCE", "-O2", "-rdynamic"]),
            [what], library: Checkout.library)
        #expect(program.line() == "ready")
        return program
    }

    private static func profile(_ program: BackgroundProgram, seconds: String) async throws
        -> Outcome
    {
        try await CommandRun.command([
            "profile", String(program.processID), "--seconds", seconds, "--rate", "4096",
            "--format", "folded",
        ])
    }

    /// What was sampled, all of it in one place.
    private static func expectGrowth(_ outcome: Outcome) {
        #expect(outcome.succeeded, "\(outcome)")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.contains { $0.contains(/main;keep_growing [0-9]{5,}$/) }, "\(outcome)")
    }

    @Test(arguments: ["forks", "waits"]) func aProcessThatGoesOnIsProfiled(what: String)
        async throws
    {
        let program = try await Self.turbulent(what)
        Self.expectGrowth(try await Self.profile(program, seconds: "1"))
    }

    /// The last reading before the end is what is known.
    @Test func aProcessThatEndsIsProfiledUpToThere() async throws {
        let program = try await Self.turbulent("ends")
        Self.expectGrowth(try await Self.profile(program, seconds: "20"))
        #expect(program.end() == 0)
    }

    @Test func aProcessThatIsKilledIsProfiledUpToThere() async throws {
        let program = try await Self.turbulent("waits")
        let process = program.processID
        async let outcome = Self.profile(program, seconds: "20")
        try await Task.sleep(for: .seconds(1.5))
        kill(process, SIGKILL)
        Self.expectGrowth(try await outcome)
        #expect(program.end() == 128 + SIGKILL)
    }

    /// The other program's memory is not taken for that of the first one.
    @Test func aProcessThatExecutesAnotherProgramIsProfiledUpToThere() async throws {
        let program = try await Self.turbulent("execs")
        Self.expectGrowth(try await Self.profile(program, seconds: "3"))
    }

    /// A debugger stops it after each instruction for a while.
    @Test func aProcessThatIsSteppedIsProfiled() async throws {
        let program = try await Self.turbulent("waits")
        let process = program.processID
        async let outcome = Self.profile(program, seconds: "5")
        try await Task.sleep(for: .seconds(1))
        let stepped = try await run(
            "gdb", ["-batch", "-p", String(process), "-ex", "stepi 3000", "-ex", "detach"],
            under: .glibc)
        #expect(stepped.succeeded, "\(stepped)")
        Self.expectGrowth(try await outcome)
    }
}
