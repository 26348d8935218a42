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
