import Foundation
import TestSupport
import Testing

/// The exported functions and the headers, from a C program's side.
@Suite struct VectorProgramTests {
    @Test func helpersDoTheirOperationOnEveryCPU() async throws {
        try await expectSuccess("helpers")
    }

    @Test func helpersNeedNoSequences() async throws {
        try await expectSuccess("helpers", environment: ["PERCOLATE_OPTIONS": "rseq=off", "WITHOUT_SEQUENCES": "1"])
        try await expectSuccess(
            "helpers", environment: ["GLIBC_TUNABLES": "glibc.pthread.rseq=0", "WITHOUT_SEQUENCES": "1"])
    }

    /// Memory that may go away is fetched by process_vm_readv(2), number 310, which filters like to
    /// refuse.
    @Test(arguments: [EPERM, ENOSYS])
    func helpersNeedNoFetchByTheKernel(error: Int32) async throws {
        try await expectSuccess("helpers", ["310", "\(error)"])
    }

    @Test func aVectorRunsAsItWasChecked() async throws {
        try await expectSuccess("changing", [VectorPrograms.runsLong ? "500000" : "50000"])
    }

    @Test func aProgramAtAFixedAddressSharesTheGates() async throws {
        try await expectSuccess("helpers", flags: ["-no-pie", "-fno-pie", "-O2"])
    }

    @Test func aTracerStepsThroughEveryOperationAndArrives() async throws {
        try await expectSuccess("single_step", ["300000"])
    }

    @Test func gdbStepsThroughASequenceAndArrives() async throws {
        let program = try await VectorPrograms.executable("structures")
        // A breakpoint inside the sequence, at its first instruction, and then one instruction at a
        // time.
        let script = [
            "-ex", "set breakpoint pending on", "-ex", "break add", "-ex", "run", "-ex", "delete",
            "-ex", "stepi 20000", "-ex", "continue",
        ]
        let outcome = try await run(
            "gdb", ["-batch", "-nx"] + script + ["--args", program, "counter", "mixed", "1000", "1"], under: .glibc)
        #expect(outcome.output.contains("1000 operations, 0 handled: ok"), "\(outcome.output)\(outcome.errors)")
    }

    /// A breakpoint interrupts the sequence it lies in, each time: the operation must be done all
    /// the same.
    @Test func breakpointsInsideEverySequenceDoNotHangTheProgram() async throws {
        let program = try await VectorPrograms.executable("structures", flags: ["-no-pie", "-fno-pie"])
        let starts = try await sequenceStarts(program)
        try #require(starts.count > 10)
        let breakpoints = starts.enumerated().flatMap { index, start in
            ["-ex", "break *\(start)", "-ex", "ignore \(index + 1) 1000000"]
        }
        for structure in ["counter", "list", "pointers", "bytes"] {
            let outcome = try await run(
                "gdb",
                ["-batch", "-nx"] + breakpoints + ["-ex", "run", "-ex", "info breakpoints"]
                    + ["--args", program, structure, "mixed", "400", "2"], under: .glibc)
            #expect(outcome.output.contains("400 operations, 0 handled: ok"), "\(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("breakpoint already hit"), "no sequence was interrupted")
        }
    }

    /// The addresses at which the sequences of a program start, which was linked at a fixed
    /// address.
    private func sequenceStarts(_ program: String) async throws -> [String] {
        let listing = try await run("objdump", ["-s", "-j", "__rseq_cs", program], under: .glibc).output
        // A descriptor takes two lines of 16 bytes: version, flags and start; length and abort
        // handler.
        let lines = listing.split(separator: "\n").filter { $0.hasPrefix(" ") }
        return stride(from: 0, to: lines.count, by: 2).map { line in
            let words = lines[line].split(separator: " ")
            let bytes = Array(words[3] + words[4])
            return "0x" + stride(from: 14, through: 0, by: -2).map { String(bytes[$0...$0 + 1]) }.joined()
        }
    }

    @Test func childrenFindEveryGateOpenAndEveryLockFree() async throws {
        try await expectSuccess("fork_vectors", [VectorPrograms.runsLong ? "1000" : "60"])
        try await expectSuccess(
            "fork_vectors", ["20"], environment: ["PERCOLATE_OPTIONS": "rseq=off", "WITHOUT_SEQUENCES": "1"])
    }

    @Test func aNodeThatIsUnmappedMeanwhileIsAnErrorAndNoFault() async throws {
        try await expectSuccess("unmapping", [VectorPrograms.runsLong ? "200000" : "20000"])
    }

    @Test(arguments: ["-O0", "-O2", "-Os"])
    func sectionsDescribeThemselvesToDebuggers(optimization: String) async throws {
        try await expectSuccess("section_arrays", flags: [optimization])
        try await expectSuccess(
            "section_arrays", flags: [optimization, "-ffunction-sections", "-Wl,--gc-sections"])
    }

    @Test func theSharedObjectDescribesItsSections() async throws {
        try await expectSuccess("section_arrays", ["libpercolate_malloc"])
    }

    private func expectSuccess(
        _ name: String, _ arguments: [String] = [], flags: [String] = [], environment: [String: String?] = [:]
    ) async throws {
        let outcome = try await VectorPrograms.runAlone(name, arguments, flags: flags, environment: environment)
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
    }
}
