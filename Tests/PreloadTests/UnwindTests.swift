import Foundation
import TestSupport
import Testing

/// The shared object as it is built, and as distributions ship one: without symbols and debug
/// information.
enum LibraryForm: String, CaseIterable, Sendable {
    case asBuilt, stripped

    func path() async throws -> String {
        self == .asBuilt ? Checkout.library : try await StrippedLibrary.shared.path()
    }
}

private actor StrippedLibrary {
    static let shared = StrippedLibrary()

    private let folder = Result { try TemporaryFolder() }
    private var task: Task<String, any Error>?

    func path() async throws -> String {
        if let task { return try await task.value }
        let path = try folder.get().path("libpercolate_malloc.so")
        let task = Task {
            let outcome = try await run("strip", ["-o", path, Checkout.library], under: .glibc)
            try #require(outcome.succeeded, "\(outcome.report)")
            return path
        }
        self.task = task
        return try await task.value
    }
}

/// Whoever looks at a stack from inside the allocator (a profiler, a debugger, `backtrace`, an
/// exception) sees all of it, and the tools that read the shared object's debug information have
/// nothing to say about it.
@Suite(.serialized) struct UnwindTests {
    private static let program = StressProgram(
        name: "unwind", flags: ["-fno-omit-frame-pointer"], timeout: .seconds(300))

    /// What a stripped library has serves one that is not.
    private func unwind(_ arguments: String..., options: String = "") async throws {
        var program = Self.program
        program.arguments = arguments
        program.environment = ["PERCOLATE_OPTIONS": options.isEmpty ? nil : options]
        let outcome = try await program.outcome(under: .other(library: try await LibraryForm.stripped.path()))
        #expect(outcome.succeeded && outcome.output.hasPrefix("unwind: "), "\(outcome.report)")
    }

    @Test(arguments: InterfaceMode.allCases)
    func everyInstructionOfTheSlowPathsLeadsToTheCaller(in mode: InterfaceMode) async throws {
        try await unwind("stepped", options: mode.options)
    }

    /// Here sections run undisturbed, and are aborted by the signals.
    @Test func aProfilersSignalsLeadToTheCaller() async throws {
        try await unwind("profiled", Effort.isLong ? "100000" : "2000")
    }

    /// Every function stands in the table that unwinders search.
    @Test func everyFunctionHasUnwindInformation() async throws {
        let frames = try await run(
            "readelf", ["--debug-dump=frames", "-W", try await LibraryForm.stripped.path()], under: .glibc)
        let entries = frames.output.matches(of: /FDE cie=[0-9a-f]+ pc=([0-9a-f]+)\.\.([0-9a-f]+)/)
        let ranges: [Range<UInt>] = try entries.map { entry in
            let start = try #require(UInt(entry.output.1, radix: 16))
            return start..<(try #require(UInt(entry.output.2, radix: 16)))
        }
        let symbols = try await run("readelf", ["-sW", Checkout.library], under: .glibc)
        // number: value size type binding visibility section name
        let lines = symbols.output.split(separator: "\n").map { $0.split(separator: " ") }
        let functions = lines.filter { $0.count == 8 && $0[3] == "FUNC" && $0[6] != "UND" }
        try #require(functions.count > 300, "\(symbols.report.prefix(4000))")
        let without = try functions.filter { words in
            let start = try #require(UInt(words[1], radix: 16))
            return !ranges.contains { $0.contains(start) }
        }
        // Unwinders and debuggers know the return from a signal handler by its instructions.
        #expect(without.map { $0[7] } == ["percolate_signal_return"])
    }

    @Test(arguments: LibraryForm.allCases)
    func gdbSeesTheWholeStackAndHasNoComplaint(form: LibraryForm) async throws {
        let program = try await Compiler.shared.executable("Stress/debuggee.c")
        let commands = [
            "set exec-wrapper env LD_PRELOAD=\(try await form.path())", "set confirm off", "break before_operations",
            "run 5", "print sizeof(malloc)", "catch syscall", "print entry_malloc(100000000)", "backtrace",
        ]
        let outcome = try await run(
            "gdb", ["-batch", "-nx"] + commands.flatMap { ["-ex", $0] } + [program], under: .glibc,
            environment: ["DEBUGINFOD_URLS": nil], timeout: .seconds(100))
        // From the system call through the allocator to the call that gdb makes, and beyond it.
        #expect(
            outcome.output.contains(#/function called from gdb>\n(?s:.*)before_operations(?s:.*) main /#),
            "\(outcome.report)")
        let complaints = (outcome.output + outcome.errors).split(separator: "\n").filter {
            $0.contains("libpercolate_malloc") && $0.contains(/warning|[Cc]ould not|symbol reading|DW_|DWARF/)
        }
        #expect(complaints == [])
    }

    /// The place for a breakpoint that each line of an error names.
    @Test(arguments: LibraryForm.allCases)
    func gdbStopsAtAnErrorOfTheProgram(form: LibraryForm) async throws {
        let program = try await Compiler.shared.executable("Crimes/double_free.c")
        let list = try await run(program, under: .glibc)
        let crime = try #require(list.output.firstMatch(of: /\n    (\w+)/)?.1)
        let commands = [
            "set exec-wrapper env LD_PRELOAD=\(try await form.path()) PERCOLATE_OPTIONS=hardened=1", "set confirm off",
            "set breakpoint pending on", "break percolate_error", "run \(crime)", "backtrace",
        ]
        let outcome = try await run(
            "gdb", ["-batch", "-nx"] + commands.flatMap { ["-ex", $0] } + [program], under: .glibc,
            environment: ["DEBUGINFOD_URLS": nil], timeout: .seconds(100))
        #expect(outcome.output.contains(##/#0 .*percolate_error(?s:.*) main /##), "\(outcome.report)")
    }

    /// Valgrind puts its own functions in place of the shared object's, whose debug information it
    /// reads all the same.
    @Test func valgrindReadsTheDebugInformation() async throws {
        let program = try await Compiler.shared.executable("Stress/debuggee.c")
        let outcome = try await run("valgrind", ["--error-exitcode=9", program, "5"], timeout: .seconds(100))
        #expect(outcome.succeeded && outcome.output.contains("debuggee: 5 arrived"), "\(outcome.report)")
        #expect(outcome.errors.contains("ERROR SUMMARY: 0 errors"), "\(outcome.report)")
        #expect(!outcome.errors.contains(/###|debuginfo|Giving up/), "\(outcome.report)")
    }
}
