import Foundation
import TestSupport
import Testing

/// The command says which programs will not be served, and why, and it is right: whether the
/// library was really loaded shows in the stand-in's statistics. Every program runs all the same.
@Suite struct ServedTests {
    private static let isRoot = geteuid() == 0

    /// Runs a program that prints `hello`, and expects the one sentence about it.
    private func expectNotServed(_ program: [String], because words: String..., output: String = "hello\n") async throws
    {
        let outcome = try await CommandRun.run(["--stats"], program)
        #expect(outcome.succeeded, "\(outcome.errors)")
        #expect(outcome.output == output)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.hasPrefix("percolate: \(program[0]) will not be served by Percolate because "))
        for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
    }

    private func expectServed(_ program: [String]) async throws {
        let outcome = try await CommandRun.run(["--stats"], program)
        #expect(outcome.errors.hasPrefix("percolate statistics\n"), "\(outcome.errors)")
    }

    @Test func ordinaryProgramsAreServedWithoutAWord() async throws {
        try await expectServed(["true"])
        try await expectServed([try await Compiler.shared.executable("Command/greet.c")])
        try await expectServed([try await Compiler.shared.executable("Command/greet.c", flags: ["-no-pie"])])
        // The dynamic loader has no interpreter, as a static executable has none, but loads what it
        // is told to.
        let loader = "/lib64/ld-linux-x86-64.so.2"
        if FileManager.default.fileExists(atPath: loader) { try await expectServed([loader, "/bin/true"]) }
    }

    @Test(arguments: ["-static", "-static-pie"])
    func staticExecutableIsNotServed(flag: String) async throws {
        let program = try await Compiler.shared.executable("Command/greet.c", flags: [flag])
        try await expectNotServed([program], because: "static executable")
    }

    @Test func childrenOfAStaticExecutableAreServed() async throws {
        let program = try await Compiler.shared.executable("Command/run_child.c", flags: ["-static"])
        let outcome = try await CommandRun.run(["--stats"], [program, "/bin/echo", "child"])
        #expect(outcome.output == "child\n")
        #expect(outcome.errors.contains("static executable"))
        #expect(outcome.errors.contains("process_name echo"))
    }

    @Test(arguments: ["cc", "/usr/bin/clang"])
    func programBuiltWithASanitizerIsNotServed(compiler: String) async throws {
        let folder = try TemporaryFolder()
        // Each runtime is linked differently: gcc needs a shared object, clang links it into the
        // program.
        for (kind, name) in [("address", "AddressSanitizer"), ("thread", "ThreadSanitizer"), ("leak", "LeakSanitizer")]
        {
            let program = folder.path("program-\(kind)")
            let source = Checkout.programs.appending(path: "Command/greet.c").path
            let built = try await TestSupport.run(
                compiler, ["-fsanitize=\(kind)", "-o", program, source], under: .glibc)
            try #require(built.succeeded, "\(built.errors)")
            let outcome = try await CommandRun.run(["--stats"], [program])
            // Were the library preloaded all the same, the sanitizer would end the program.
            #expect(outcome.succeeded, "\(outcome.errors)")
            #expect(outcome.output == "hello\n")
            let sentence = "percolate: \(program) will not be served by Percolate because it is built with \(name)"
            #expect(outcome.errors.hasPrefix(sentence), "\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
    }

    @Test func programWithoutAMallocOfItsSanitizerIsServed() async throws {
        let program = try await Compiler.shared.executable("Command/greet.c", flags: ["-fsanitize=undefined"])
        try await expectServed([program])
    }

    @Test(arguments: ["gnu", "sysv"])
    func programWithAMallocOfItsOwnIsNotServed(hashStyle: String) async throws {
        let flags = ["-Wl,--hash-style=\(hashStyle)"]
        let program = try await Compiler.shared.executable("Command/own_malloc.c", flags: flags)
        // The library is loaded, but its malloc is not the one that the program finds.
        let outcome = try await CommandRun.run([], [program])
        #expect(outcome.succeeded)
        #expect(outcome.output == "own malloc\n")
        #expect(outcome.errors.contains("because it defines a malloc of its own"))
        #expect(outcome.errors.split(separator: "\n").count == 1)
        let plain = try await Compiler.shared.executable("Command/greet.c", flags: flags)
        try await expectServed([plain])
    }

    @Test func programForAnotherMachineIsNotServed() async throws {
        #if arch(x86_64)
            let folder = try TemporaryFolder()
            let program = folder.path("thirty-two-bit")
            let source = Checkout.programs.appending(path: "Command/thirty_two_bit.c").path
            let built = try await TestSupport.run(
                "cc", ["-m32", "-nostdlib", "-static", "-o", program, source], under: .glibc)
            try #require(built.succeeded, "\(built.errors)")
            let plain = try await TestSupport.run(program, under: .glibc)
            let outcome = try await CommandRun.run([], [program])
            #expect(outcome.exitCode == plain.exitCode && outcome.signal == plain.signal)
            #expect(outcome.output == plain.output)
            #expect(outcome.errors.contains("it is built for 32-bit x86, and the library for 64-bit x86-64"))
        #endif
    }

    @Test func programForAnotherInstructionSetIsNamed() async throws {
        let folder = try TemporaryFolder()
        let program = try folder.copy(of: try await Compiler.shared.executable("Command/greet.c"))
        try ELFPatch.setMachine(of: program, to: ELFPatch.riscV)
        let outcome = try await CommandRun.run([], [program])
        #expect(outcome.errors.contains("because it is built for 64-bit RISC-V"))
    }

    @Test func programOfAnotherCLibraryIsNotServed() async throws {
        let folder = try TemporaryFolder()
        let program = try folder.copy(of: try await Compiler.shared.executable("Command/greet.c"))
        try ELFPatch.replace("/lib64/ld-linux-x86-64.so.2", by: "/lib/ld-musl-of-nobody.so.1", in: program)
        let outcome = try await CommandRun.run([], [program])
        #expect(outcome.errors.contains("it is started by /lib/ld-musl-of-nobody.so.1"))
        #expect(outcome.exitCode == 127)
    }

    @Test(.enabled(if: ServedTests.isRoot, "only root can make files of other users"), arguments: [0o4755, 0o2755])
    func programThatGainsPrivilegesIsNotServed(mode: Int) async throws {
        let folder = try TemporaryFolder()
        let program = try folder.copy(of: try await Compiler.shared.executable("Command/greet.c"))
        try FileManager.default.setAttributes(
            [.ownerAccountID: 65534, .groupOwnerAccountID: 65534], ofItemAtPath: program)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: program)
        try await expectNotServed(
            [program], because: mode == 0o4755 ? "another user's rights" : "another group's rights")
        // Neither bit has an effect for a process that has given up gaining privileges, and then
        // the library is loaded.
        let launch = [Checkout.command] + (try await CommandRun.arguments(["--stats"], [program]))
        let outcome = try await TestSupport.run("setpriv", ["--no-new-privs"] + launch, under: .glibc)
        #expect(outcome.errors.hasPrefix("percolate statistics\n"), "\(outcome.errors)")
    }

    @Test func programThatGainsNothingByItsBitIsServed() async throws {
        let folder = try TemporaryFolder()
        let program = try folder.copy(of: try await Compiler.shared.executable("Command/greet.c"))
        try FileManager.default.setAttributes([.posixPermissions: 0o6755], ofItemAtPath: program)
        try await expectServed([program])
    }

    @Test(.enabled(if: ServedTests.isRoot, "only root can give files capabilities"))
    func programWithFileCapabilitiesIsNotServedToOthersThanRoot() async throws {
        let folder = try TemporaryFolder()
        let program = try folder.copy(of: try await Compiler.shared.executable("Command/greet.c"))
        let set = try await TestSupport.run("/usr/sbin/setcap", ["cap_net_raw+ep", program], under: .glibc)
        try #require(set.succeeded, "\(set.errors)")
        try await expectServed([program])
        let library = try folder.copy(of: try await CommandRun.contractLibrary())
        let launch = [Checkout.command, "run", "--stats", "--library", library, "--", program]
        let outcome = try await TestSupport.run(
            "setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups"] + launch, under: .glibc)
        #expect(outcome.output == "hello\n", "\(outcome.errors)")
        #expect(outcome.errors.contains("because it has file capabilities"))
        #expect(!outcome.errors.contains("percolate statistics"))
    }
}
