import Foundation
import TestSupport
import Testing

/// The probes of provider `percolate`, seen by the tracers that people use.
@Suite struct TracingTests {
    static let probes = [
        "vec_begin", "op", "vec_end", "move", "gate_close", "gate_open", "percpu_fallback", "section_abort", "refill",
        "drain", "steal", "span_allocate", "span_free", "release",
    ]

    /// A gate is closed by a fence, and an idle CPU stolen from, where there is another one.
    static let hasTwoCPUs = ProcessInfo.processInfo.activeProcessorCount > 1

    /// perf and bpftrace need the right to place probes in the kernel's trace file system, mounted.
    static let canPlaceProbes = access("/sys/kernel/tracing/uprobe_events", W_OK) == 0

    /// A debugger that did not start the process needs the right to attach to it.
    static let canAttach: Bool = {
        let scope = try? String(contentsOfFile: "/proc/sys/kernel/yama/ptrace_scope", encoding: .utf8)
        return geteuid() == 0 || scope == nil || scope == "0\n"
    }()

    @Test func everyProbeIsThereWithASemaphore() async throws {
        let notes = try await run("readelf", ["-n", Checkout.library], under: .glibc).output
        for probe in Self.probes { #expect(notes.contains("Name: \(probe)\n"), "\(probe) is missing") }
        #expect(!notes.contains("Semaphore: 0x0000000000000000"))
        // Without the base symbol gdb does not look at the notes at all.
        #expect(!notes.contains("Base: 0x0000000000000000"))
        // Registers and constants: what a sample of the registers has, and what no tracer fails to
        // read.
        let arguments = notes.split(separator: "\n").filter { $0.contains("Arguments: ") }
        #expect(arguments.count >= Self.probes.count && arguments.allSatisfy { !$0.contains("(") }, "\(arguments)")
    }

    @Test func gdbStopsAtAnOperationAndReadsItsArguments() async throws {
        let program = try await VectorPrograms.executable("structures")
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

    /// A breakpoint at each probe, which is gone once it has stopped the process: the debugger
    /// comes to an end when all have.
    @Test(
        .enabled(if: canAttach, "needs root, or kernel.yama.ptrace_scope to be 0"),
        .enabled(if: hasTwoCPUs, "needs two CPUs"))
    func gdbStopsALiveProcessAtEveryProbe() async throws {
        let breakpoints = Self.probes.flatMap { ["-ex", "tbreak -probe-stap percolate:\($0)"] }
        let stops = Self.probes.flatMap { _ in ["-ex", "continue"] }
        let output = try await whileEventsHappen { process in
            try await run(
                "gdb",
                ["-batch", "-nx", "-p", "\(process)", "-ex", "handle SIGALRM nostop noprint pass"] + breakpoints
                    + stops,
                under: .glibc, timeout: .seconds(120)
            ).output
        }
        for probe in Self.probes { #expect(output.contains(", percolate_trace_\(probe) ("), "\(probe): \(output)") }
    }

    @Test(
        .enabled(if: canPlaceProbes, "needs root and tracefs mounted at /sys/kernel/tracing"),
        .enabled(if: hasTwoCPUs, "needs two CPUs"))
    func bpftraceCountsEveryKindOfEventOfALiveProcess() async throws {
        let script =
            Self.probes.map { "usdt:\(Checkout.library):percolate:\($0) { @seen[\"\($0)\"] = count(); }\n" }.joined()
                + """
                usdt:\(Checkout.library):percolate:op { @ops[arg1, arg5] = count(); }
                usdt:\(Checkout.library):percolate:gate_close { @closed[arg2] = count(); }
                interval:s:6 { exit() }
                """
        let report = try await whileEventsHappen { process in
            try await run("bpftrace", ["-p", "\(process)", "-e", script], under: .glibc, timeout: .seconds(60)).output
        }
        for probe in Self.probes { #expect(report.contains("@seen[\(probe)]: "), "\(probe): \(report)") }
        // Compares that held, copies, additions, and gates closed both ways.
        for line in ["@ops[0, 1]: ", "@ops[2, 1]: ", "@ops[3, 1]: ", "@closed[0]: ", "@closed[1]: "] {
            #expect(report.contains(line), "\(report)")
        }
    }

    @Test(
        .enabled(if: canPlaceProbes, "needs root and tracefs mounted at /sys/kernel/tracing"),
        .enabled(if: hasTwoCPUs, "needs two CPUs"))
    func perfRecordsEveryKindOfEventOfALiveProcess() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "percolate-perf-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // A cache of its own: in the user's, builds of other days have probes of the same names.
        let perf = ["--buildid-dir", folder.appending(path: "buildid").path]
        let data = folder.appending(path: "perf.data").path
        _ = try await run("perf", perf + ["buildid-cache", "--add", Checkout.library], under: .glibc)
        // A run that was killed may have left its probes.
        _ = try await run("perf", ["probe", "-d", "sdt_percolate:*"], under: .glibc)
        let added = try await run("perf", perf + ["probe", "sdt_percolate:*"], under: .glibc)
        try #require(added.succeeded, "\(added.errors)")
        let report = try await whileEventsHappen { process in
            let arguments = ["record", "-q", "-e", "sdt_percolate:*", "-o", data, "-p", "\(process)", "sleep", "6"]
            _ = try await run("perf", perf + arguments, under: .glibc, timeout: .seconds(60))
            return try await run("perf", perf + ["script", "-i", data], under: .glibc, timeout: .seconds(60)).output
        }
        _ = try await run("perf", ["probe", "-d", "sdt_percolate:*"], under: .glibc)
        for probe in Self.probes { #expect(report.contains("sdt_percolate:\(probe):"), "\(probe) is missing") }
        // An addition of 1 to 8 bytes that went on, with the operands between.
        #expect(report.contains(#/sdt_percolate:op: \(\w+\) arg1=0 arg2=3 arg3=8 arg4=\d+ arg5=1 arg6=1 /#))
    }

    /// Runs `body` while a process makes every event happen again and again, and then ends that
    /// process.
    private func whileEventsHappen(_ body: @Sendable (Int32) async throws -> String) async throws -> String {
        let program = try await VectorPrograms.executable("events")
        return try await OneAtATime.shared.run {
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.arguments = ["600"]
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
