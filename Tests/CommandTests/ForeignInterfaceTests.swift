import Foundation
import TestSupport
import Testing

/// What a program allocates by another allocator's own functions is not Percolate's, and is said.
@Suite struct ForeignInterfaceTests {
    /// A program that defines or calls one function, linked with a library that has it.
    private func program(calling function: String, defines: Bool, strip: Bool = false) async throws -> String {
        let name = function.replacing("::", with: "")
        let folder = RunFolder.url.path
        let library = "\(folder)/lib\(name).so"
        let source = Checkout.programs.appending(path: "Command/foreign_interface.c").path
        let flags = ["-DFUNCTION=\(function)"]
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let built = try await TestSupport.run(
            "cc", ["-shared", "-fPIC", "-o", library, source, "-DDEFINES"] + flags, under: .glibc)
        try #require(built.succeeded, "\(built.errors)")
        return try await Compiler.shared.executable(
            "Command/foreign_interface.c",
            flags: flags + ["-DCALLS"] + (defines ? ["-DDEFINES"] : [library, "-Wl,-rpath,\(folder)"])
                + (strip ? ["-s"] : []))
    }

    @Test(arguments: [
        ("tc_malloc", "tcmalloc"), ("MallocExtension_GetNumericProperty", "tcmalloc"), ("tc_new_nothrow", "tcmalloc"),
        ("_ZN15MallocExtension8instanceEv", "tcmalloc"), ("mi_malloc", "mimalloc"), ("mi_heap_new", "mimalloc"),
        ("je_mallctl", "jemalloc"), ("_rjem_sdallocx", "jemalloc"),
    ])
    func functionsOfAnotherAllocatorAreNamed(function: String, allocator: String) async throws {
        let calls = try await program(calling: function, defines: false)
        let outcome = try await CommandRun.run([], [calls])
        #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
        #expect(
            outcome.errors == """
                percolate: \(calls) calls \(allocator)'s own functions (\(function)): what it allocates by those is not \
                Percolate's

                """)
        // A stripped program still says what it takes from others.
        let stripped = try await program(calling: function, defines: false, strip: true)
        #expect(try await CommandRun.run([], [stripped]).errors.contains("(\(function))"))
        let copy = try await program(calling: function, defines: true)
        #expect(
            try await CommandRun.run([], [copy]).errors == """
                percolate: \(copy) has a copy of \(allocator) of its own (\(function)): what it allocates by that is not \
                Percolate's

                """)
    }

    @Test(arguments: ["mallocx", "mallctl", "malloc_usable_size", "tc_core_init", "mi_cmd_exec", "my_calloc"])
    func whatIsServedOrSomethingElseIsNotNamed(function: String) async throws {
        let program = try await program(calling: function, defines: false)
        let outcome = try await CommandRun.run([], [program])
        #expect(outcome.succeeded && outcome.errors == "", "\(outcome.output)\(outcome.errors)")
    }

    @Test func doctorLooksAtAProgram() async throws {
        let foreign = try await program(calling: "mi_malloc", defines: false)
        let partly = try await CommandRun.command(["doctor", "--", foreign])
        #expect(partly.succeeded, "\(partly.output)\(partly.errors)")
        #expect(partly.output.contains("Program      \(foreign) calls mimalloc's own functions (mi_malloc)"))
        let wholly = try await CommandRun.command(["doctor", "--", "true"])
        #expect(wholly.output.contains("Program      true is served by Percolate.\n"))
        let missing = try await CommandRun.command(["doctor", "--", "no-program-has-this-name"])
        #expect(missing.output.contains("Program      no-program-has-this-name is not found.\n"))
        #expect(try await CommandRun.command(["doctor", "--", "true", "more"]).exitCode == 64)
    }

    @Test func aLibraryThatIsNotPercolateIsRefused() async throws {
        let library = try await Compiler.shared.executable(
            "Command/foreign_interface.c", flags: ["-shared", "-fPIC", "-DFUNCTION=malloc_x", "-DDEFINES"])
        let outcome = try await CommandRun.command(["run", "--library", library, "--", "echo", "ran"])
        #expect(outcome.exitCode == 125 && outcome.output == "", "\(outcome.output)\(outcome.errors)")
        #expect(
            outcome.errors == """
                percolate: cannot preload \(library): it is not Percolate (it does not define percolate_heap_interface)

                """)
    }
}
