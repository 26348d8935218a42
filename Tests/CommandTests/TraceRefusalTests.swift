import Foundation
import TestSupport
import Testing

/// Where a program cannot be traced, one sentence says what is missing, and the program is not
/// started.
@Suite struct TraceRefusalTests {
    private static let isRoot = geteuid() == 0

    private func expectRefusal(_ outcome: Outcome, saying words: String...) {
        #expect(outcome.exitCode == 125)
        #expect(outcome.output == "", "the program was started")
        #expect(outcome.errors.hasPrefix("percolate: cannot "), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
    }

    @Test(.enabled(if: TraceRun.hasProbes, "this kernel has no probes in programs"))
    func withoutTheCapabilityItIsNamed() async throws {
        let folder = try TemporaryFolder()
        let launch = [Checkout.command] + TraceRun.arguments([], ["echo", "ran"])
        let without = Self.isRoot ? ["setpriv", "--bounding-set", "-sys_admin"] : ["/usr/bin/env"]
        let outcome = try await TestSupport.run(
            without[0], Array(without.dropFirst()) + launch, under: .glibc,
            environment: ["TMPDIR": folder.url.path])
        expectRefusal(outcome, saying: "lacks CAP_SYS_ADMIN", "run it as root")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
    }

    @Test(.enabled(if: TraceRun.isPermitted, TraceRun.needs))
    func kernelWithoutProbesIsSaid() async throws {
        let outcome = try await TraceRun.run(
            inMountNamespace: "mount -t tmpfs none /sys/bus/event_source/devices || exit 1",
            TraceRun.arguments([], ["echo", "ran"]))
        expectRefusal(outcome, saying: "/sys/bus/event_source/devices/uprobe does not exist", "CONFIG_UPROBE_EVENTS")
    }

    @Test(.enabled(if: TraceRun.isPermitted, TraceRun.needs))
    func folderThatForbidsCodeIsSaid() async throws {
        let folder = try TemporaryFolder()
        let outcome = try await TraceRun.run(
            inMountNamespace: "mount -t tmpfs -o noexec none \(folder.url.path) && export TMPDIR=\(folder.url.path)",
            TraceRun.arguments([], ["echo", "ran"]))
        expectRefusal(outcome, saying: "no code can be executed from \(folder.url.path)", "TMPDIR")
    }

    @Test(.enabled(if: TraceRun.hasProbes, "this kernel has no probes in programs"))
    func libraryWithoutProbesIsRefused() async throws {
        let library = try await CommandRun.contractLibrary()
        let outcome = try await CommandRun.command(["trace", "--library", library, "--", "echo", "ran"])
        expectRefusal(outcome, saying: "has no probe vec_begin", "another version")
    }

    /// Probes that this command cannot read: an argument in memory, and a note that is longer than
    /// its section.
    @Test(
        .enabled(if: TraceRun.hasProbes, "this kernel has no probes in programs"),
        arguments: [("8@%rdi -4@%esi", "8@(%rdi) 4@esi"), ("stapsdt\0", "\u{1}\0\0\0\u{2}\0\0\0")])
    func probesThatCannotBeReadAreRefused(text: String, other: String) async throws {
        let folder = try TemporaryFolder()
        let library = try folder.copy(of: Checkout.library)
        try ELFPatch.replace(text, by: other, in: library)
        let outcome = try await CommandRun.command(["trace", "--library", library, "--", "echo", "ran"])
        expectRefusal(outcome, saying: library)
    }

    @Test(.enabled(if: TraceRun.hasProbes, "this kernel has no probes in programs"))
    func traceThatCannotBeWrittenIsSaidBefore() async throws {
        let outcome = try await TraceRun.run(["--output", "/nowhere/at/all"], ["echo", "ran"])
        if TraceRun.isPermitted { expectRefusal(outcome, saying: "/nowhere/at/all", "No such file or directory") }
        #expect(outcome.exitCode == 125)
    }

    @Test(.enabled(if: TraceRun.isPermitted, TraceRun.needs))
    func programThatCannotBeStartedIsSaidAsByRun() async throws {
        let folder = try TemporaryFolder()
        let missing = try await TraceRun.run([], ["no-program-has-this-name"])
        #expect(missing.exitCode == 127 && missing.errors.contains("cannot run no-program-has-this-name: No such file"))
        #expect(try await TraceRun.run([], [folder.url.path]).exitCode == 126)
        let script = try folder.script("#! /nowhere/interpreter\n")
        let outcome = try await TraceRun.run([], [script])
        #expect(outcome.exitCode == 127 && outcome.errors.contains("its interpreter /nowhere/interpreter"))
    }

    @Test(.enabled(if: TraceRun.isPermitted, TraceRun.needs))
    func programThatIsNotServedIsNamedAndRun() async throws {
        let folder = try TemporaryFolder()
        let library = try folder.copy(of: Checkout.library)
        let program = try await Compiler.shared.executable("Command/own_malloc.c")
        let outcome = try await CommandRun.command(["trace", "--library", library, "--summary", "--", program])
        #expect(outcome.errors.contains("will not be served by Percolate because"), "\(outcome.errors)")
    }
}
