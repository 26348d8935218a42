import Foundation
import TestSupport
import Testing

/// The probes of provider `percolate`, seen by the tracers that people use.
@Suite struct TracingTests {
    static let probes = [
        "vec_begin", "op", "vec_end", "move", "gate_close", "gate_open", "percpu_fallback", "section_abort", "refill",
        "drain",
        "steal", "span_allocate", "span_free", "release",
    ]

    /// perf and bpftrace need the right to place probes in the kernel's trace file system, mounted.
    static let canPlaceProbes = access("/sys/kernel/tracing/uprobe_events", W_OK) == 0

    @Test func everyProbeIsThereWithASemaphore() async throws {
        let notes = try await run("readelf", ["-n", Checkout.library], under: .glibc).output
        for probe in Self.probes { #expect(notes.contains("Name: \(probe)\n"), "\(probe) is missing") }
        #expect(!notes.contains("Semaphore: 0x0000000000000000"))
        // Without the base symbol gdb does not look at the notes at all.
        #expect(!notes.contains("Base: 0x0000000000000000"))
    }

    @Test func gdbStopsAtAnOperationAndReadsItsArguments() async throws {
        let program = try await Compiler.shared.executable(
            "Vectors/structures.c", flags: ["-I", VectorPrograms.headers, Checkout.library])
        let arguments =
            #"printf "seen: index %d op %d len %d outcome %d value %d\n", $_probe_arg0, $_probe_arg1, "#
            + "$_probe_arg2, $_probe_arg5, $_probe_arg7"
        let outcome = try await run(
            "gdb",
            [
                "-batch", "-nx", "-ex", "break main", "-ex", "run", "-ex", "break -probe-stap percolate:op", "-ex",
                "continue",
                "-ex", arguments, "-ex", "delete", "-ex", "continue", "--args", program, "counter", "vector", "100",
                "1",
            ], under: .glibc)
        #expect(outcome.output.contains("seen: index 0 op 3 len 8 outcome 1 value 0"), "\(outcome.output)")
        #expect(outcome.output.contains("100 operations, 0 handled: ok"))
    }

    @Test(.enabled(if: canPlaceProbes, "needs root and tracefs mounted at /sys/kernel/tracing"))
    func bpftraceCountsOperationsOfALiveProcess() async throws {
        let script = """
            usdt:\(Checkout.library):percolate:op { @ops[arg1, arg5] = count(); }
            usdt:\(Checkout.library):percolate:gate_close { @closed[arg2] = count(); }
            interval:s:2 { exit() }
            """
        let report = try await whileTraced { process in
            try await run("bpftrace", ["-p", "\(process)", "-e", script], under: .glibc, timeout: .seconds(60)).output
        }
        // Compares that held, copies, and gates closed both ways.
        for line in ["@ops[0, 1]: ", "@ops[2, 1]: ", "@closed[0]: ", "@closed[1]: "] {
            #expect(report.contains(line), "\(report)")
        }
    }

    @Test(.enabled(if: canPlaceProbes, "needs root and tracefs mounted at /sys/kernel/tracing"))
    func perfRecordsOperationsOfALiveProcess() async throws {
        let data = FileManager.default.temporaryDirectory.appending(path: "percolate-perf-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: data) }
        _ = try await run("perf", ["buildid-cache", "--add", Checkout.library], under: .glibc)
        // A run that was killed may have left its probe.
        _ = try await run("perf", ["probe", "-d", "sdt_percolate:*"], under: .glibc)
        let added = try await run("perf", ["probe", "sdt_percolate:op"], under: .glibc)
        try #require(added.succeeded, "\(added.errors)")
        let report = try await whileTraced { process in
            let arguments = ["record", "-q", "-e", "sdt_percolate:op", "-o", data, "-p", "\(process)", "sleep", "0.3"]
            _ = try await run("perf", arguments, under: .glibc, timeout: .seconds(60))
            return try await run("perf", ["script", "-i", data], under: .glibc, timeout: .seconds(60)).output
        }
        _ = try await run("perf", ["probe", "-d", "sdt_percolate:*"], under: .glibc)
        #expect(report.contains("sdt_percolate:op:"), "\(report.prefix(1000))")
    }

    /// Runs `body` while a process works on per-CPU lists, and then ends that process.
    private func whileTraced(_ body: @Sendable (Int32) async throws -> String) async throws -> String {
        let program = try await Compiler.shared.executable(
            "Vectors/structures.c", flags: ["-I", VectorPrograms.headers, Checkout.library])
        return try await OneAtATime.shared.run {
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.arguments = ["list", "mixed", "1000000000", "3", "closes=1"]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            defer {
                // The process inherits the signals that the test runner's threads block.
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            try await Task.sleep(for: .milliseconds(500))
            return try await body(process.processIdentifier)
        }
    }
}
