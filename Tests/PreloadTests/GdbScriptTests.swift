import Foundation
import TestSupport
import Testing

/// `LD_PRELOAD/percolate-gdb.py`: the heap in gdb.
@Suite struct GdbScriptTests {
    private static let script = Checkout.root.appending(path: "LD_PRELOAD/percolate-gdb.py").path

    private static let questions = [
        "percolate block used + 10", "percolate block cached", "percolate block large + 5000",
        "percolate block &used", "percolate gates", "percolate locks",
    ]

    private func gdb(_ commands: [String], _ arguments: [String]) async throws -> Outcome {
        try await run(
            "gdb", ["-batch", "-nx"] + commands.flatMap { ["-ex", $0] } + ["--args"] + arguments, under: .glibc,
            environment: ["DEBUGINFOD_URLS": nil], timeout: .seconds(100))
    }

    private static let setUp = [
        "set exec-wrapper env LD_PRELOAD=\(Checkout.library)", "set confirm off", "source \(script)",
    ]

    /// What the answers to all questions must be, once each.
    private func expectAnswers(_ outcome: Outcome) {
        let expected: [Regex<Substring>] = [
            #/(?m)^block  0x[0-9a-f]+, 1024 bytes, in use by the program, 10 bytes in$/#,
            #/(?m)^block  0x[0-9a-f]+, 2048 bytes, free in the cache of index \d+, 0 bytes in$/#,
            #/(?m)^block  0x[0-9a-f]+, large, in use by the program, 5000 bytes in$/#,
            #/(?m)^0x[0-9a-f]+ is outside the arena/#,
            #/(?m)^span   \d+: 25 pages from 0x[0-9a-f]+$/#,
            #/(?m)^slab   0x[0-9a-f]+: 1 of [1-9]\d? blocks of this class$/#,
            #/(?m)^gate   of index \d+: open to slab 0x[0-9a-f]+$/#,
            #/(?m)^lock   arena: free \(word at 0x[0-9a-f]+\)$/#,
            #/(?m)^index \d+: open to slab 0x[0-9a-f]+, slab 0x[0-9a-f]+, lock free$/#,
            #/(?m)^no lock is held$/#,
        ]
        for line in expected {
            #expect(outcome.output.contains(line), "\(outcome.report)")
        }
    }

    @Test func aLiveProcessAnswers() async throws {
        let program = try await Compiler.shared.executable("Stress/inspected.c")
        expectAnswers(try await gdb(Self.setUp + ["break stop_here", "run"] + Self.questions, [program]))
    }

    @Test func aCoreDumpAnswers() async throws {
        let program = try await Compiler.shared.executable("Stress/inspected.c")
        let folder = try TemporaryFolder()
        // The reservation is kept small, so that the dump is.
        _ = try await gdb(
            Self.setUp + [
                "set environment PERCOLATE_OPTIONS=reserve=64M", "break stop_here", "run",
                "generate-core-file \(folder.path("core"))",
            ], [program])
        let outcome = try await run(
            "gdb",
            ["-batch", "-nx", "-ex", "source \(Self.script)"] + Self.questions.flatMap { ["-ex", $0] }
                + [program, folder.path("core")],
            under: .glibc, environment: ["DEBUGINFOD_URLS": nil], timeout: .seconds(100))
        expectAnswers(outcome)
    }

    @Test func aHeldLockNamesItsOwner() async throws {
        let program = try await Compiler.shared.executable("Stress/inspected.c")
        let outcome = try await gdb(
            Self.setUp + [
                "break stop_here", "run", "break percolate_section_close", "print (int)malloc_trim(0)",
                "percolate locks",
            ], [program])
        // To empty a CPU's cache, its gate is closed by whoever has the gate's lock.
        #expect(outcome.output.contains(#/(?m)^inside the allocator: thread 1 \(LWP \d+\)$/#), "\(outcome.report)")
        #expect(outcome.output.contains(#/(?m)^gate of index \d+: held by thread 1 \(LWP \d+\)$/#), "\(outcome.report)")
    }

    @Test func aProcessWithoutPercolateIsRefused() async throws {
        let program = try await Compiler.shared.executable("Stress/inspected.c")
        let commands = ["source \(Self.script)", "break stop_here", "run", "percolate block used"]
        let outcome = try await gdb(commands, [program])
        #expect(outcome.errors.contains("Is libpercolate_malloc.so loaded"), "\(outcome.report)")
    }
}
