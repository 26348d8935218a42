import Foundation
import TestSupport
import Testing

/// The C interface of the heap, `<percolate/heap.h>`, from a program that is not linked to it.
@Suite struct HeapInterfaceTests {
    private static let program = InterfaceProgram(source: "heap.c", flags: ["-I", Headers.folder])

    @Test(arguments: InterfaceMode.allCases)
    func theInterfaceKeepsItsPromises(mode: InterfaceMode) async throws {
        for promise in ["figures", "texts", "trimming", "counting", "blocks"] {
            try await Self.program.keeps(promise, in: mode)
        }
    }

    @Test(arguments: [InterfaceMode.sections, .locked])
    func limitsAndProfilesWork(mode: InterfaceMode) async throws {
        for promise in ["limits", "profile"] { try await Self.program.keeps(promise, in: mode) }
    }

    /// What a process asks of its heap before it ever allocated has the answer that it has later,
    /// and the options hold afterwards.
    @Test(arguments: [
        "", "rseq=off", "index=mm_cid", "hardened=basic", "hardened=1",
        "sample=4K,guard=64K,limit=1G,release=lazy", "hardened=basic,sample=4K",
        "hardened=1,sample=4K", "background=no,cache=64K,soft=64M",
    ])
    func anyCallMayBeTheFirst(options: String) async throws {
        let program = try await Compiler.shared.executable(
            "Interface/first_call.c", flags: Headers.internalFlags + ["-w"])
        let outcome = try await run(
            program, under: .percolate(options: options), timeout: .seconds(60))
        #expect(outcome.succeeded && outcome.errors == "", "\(outcome.report)")
    }

    @Test func withoutTheLibraryTheFunctionsAreNull() async throws {
        let outcome = try await run(try await Self.program.executable(), ["absence"], under: .glibc)
        #expect(outcome.succeeded, "\(outcome.report)")
    }

    @Test(arguments: [
        ("begin_twice", "counting scope begun twice"),
        ("end_first", "counting scope ended that does not count"),
    ])
    func aWrongScopeEndsTheProcessWithALine(misuse: String, sentence: String) async throws {
        let outcome = try await run(try await Self.program.executable(), [misuse])
        #expect(outcome.signal == SIGABRT && outcome.output == "")
        #expect(outcome.errors.hasPrefix("percolate: \(sentence): 0x"), "\(outcome.report)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }
}
