import Foundation
import TestSupport
import Testing

/// Threads, libraries and calls at the edges of a process's life.
@Suite(.serialized) struct ThreadTests {
    @Test(arguments: ["", "glibc.pthread.rseq=0"])
    func aThousandThreadsComeAndGo(tunables: String) async throws {
        try await StressProgram(
            name: "threads", arguments: [Effort.isLong ? "20000" : "1000", "32"],
            environment: tunables.isEmpty ? [:] : ["GLIBC_TUNABLES": tunables]
        ).expectPass()
    }

    @Test(arguments: ["exit", "join", "cancel", "child"])
    func aProcessWhoseFirstThreadEndsGoesOnToItsLast(how: String) async throws {
        try await StressProgram(name: "first_thread", arguments: [how]).expectPass()
    }

    @Test(arguments: ["", "glibc.pthread.rseq=0"])
    func callsBeforeConstructorsAndAfterDestructorsAreServed(tunables: String) async throws {
        let outcome = try await StressProgram(
            name: "early", linked: ["early_library"],
            environment: tunables.isEmpty ? [:] : ["GLIBC_TUNABLES": tunables]
        ).outcome(under: .percolate())
        #expect(outcome.succeeded, "\(outcome.errors)")
        #expect(outcome.output.contains("main\n"))
        #expect(outcome.output.contains("after main: last destructor\n"))
    }

    @Test func callsDuringRelocationAreServed() async throws {
        try await StressProgram(name: "resolver").expectPass()
    }

    @Test func loadingAndUnloadingLibrariesLosesNothing() async throws {
        let plugin = try await StressProgram.library("plugin")
        try await StressProgram(name: "loading", arguments: [plugin, Effort.isLong ? "2000" : "150"]).expectPass()
    }

    @Test func librariesThatBindDeeplyExchangeBlocks() async throws {
        let plugin = URL(filePath: try await StressProgram.library("plugin"))
        let folder = plugin.deletingLastPathComponent().path
        var program = StressProgram(
            name: "deep_binding", arguments: [plugin.lastPathComponent], flags: ["-Wl,-rpath,\(folder)"])
        try await program.expectPass()
        program.arguments = [plugin.lastPathComponent, "namespace"]
        try await program.expectPass()
        program.arguments = [plugin.lastPathComponent, "libc"]
        let deep = try await program.outcome(under: .percolate())
        #expect(deep.signal != nil && deep.output == "", "this library does not bind deeply")
    }

    /// glibc leaves the registration to the program, and Percolate does so once the program asks
    /// for it.
    @Test(arguments: [[], ["index=mm_cid"], ["index=cpu_id"], ["membarrier=off"], ["rseq=off"], ["hardened=1"]])
    func aProgramMayRegisterSequencesItself(options: [String]) async throws {
        try await StressProgram(
            name: "own_rseq", options: options, environment: ["GLIBC_TUNABLES": "glibc.pthread.rseq=0"]
        ).expectPass()
    }

    @Test(arguments: [[], ["rseq=off"], ["hardened=1"]])
    func stacksOf16KiBSuffice(options: [String]) async throws {
        try await StressProgram(name: "small_stack", arguments: ["5"], options: options).expectPass()
    }

    /// What ends a process writes a page of statistics, or a line, and finds little of a stack.
    @Test(arguments: ["exit", "handler", "statistics"]) func smallStacksSufficeForTheEnd(how: String) async throws {
        try await StressProgram(name: "small_end", arguments: [how]).expectPass()
    }

    @Test func aDoubleFreeOnASmallStackIsReported() async throws {
        let outcome = try await StressProgram(name: "small_end", arguments: ["double-free"]).outcome(
            under: .percolate())
        #expect(outcome.signal == SIGABRT, "\(outcome)")
        #expect(outcome.errors.hasPrefix("percolate: double free: 0x"), "\(outcome)")
    }

    @Test(arguments: ["large", "interior", "wrong-size", "small"])
    func theHeapIsWholeInAndAfterAHandlerOfSIGABRT(misuse: String) async throws {
        try await StressProgram(name: "after_abort", arguments: [misuse]).expectPass()
    }
}
