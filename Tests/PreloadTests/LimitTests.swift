import Foundation
import TestSupport
import Testing

/// The program said "skipped" and why: this machine does not let it set up what it tests.
private let skippedCode: Int32 = 77

@Suite(.serialized)
struct LimitTests {
    private func expectHolds(_ outcome: Outcome, sourceLocation: SourceLocation) throws {
        if outcome.exitCode == skippedCode {
            try Test.cancel("\(outcome.output)", sourceLocation: sourceLocation)
        }
        #expect(outcome.succeeded && outcome.errors == "", "\(outcome.report)", sourceLocation: sourceLocation)
    }

    private func holds(
        _ promise: String, in mode: InterfaceMode = .sections, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let program = try await InterfaceProgram(source: "limits.c").executable()
        let outcome = try await run(program, [promise], under: .percolate(options: mode.options))
        try expectHolds(outcome, sourceLocation: sourceLocation)
    }

    @Test(arguments: [2048, 1024, 512, 256, 128, 64, 32])
    func programsRunInASmallAddressSpace(ofMiB size: Int) async throws {
        try await holds("address_space_\(size)")
    }

    @Test(arguments: [1024, 64, 32])
    func programsRunWithLittleData(ofMiB size: Int) async throws {
        try await holds("data_\(size)")
    }

    @Test(arguments: ["address_space", "data"], InterfaceMode.allCases)
    func memoryIsExhaustedAndRecovers(limit: String, in mode: InterfaceMode) async throws {
        try await holds("\(limit)_exhausted", in: mode)
    }

    @Test(arguments: ["address_space", "data"], InterfaceMode.allCases)
    func aReallocThatFailsForLackOfMemoryKeepsTheBlock(limit: String, in mode: InterfaceMode) async throws {
        try await holds("\(limit)_realloc", in: mode)
    }

    @Test(arguments: ["address_space", "data"], [InterfaceMode.sections, .hardened])
    func threadsExhaustMemoryTogetherAndGoOn(limit: String, in mode: InterfaceMode) async throws {
        try await holds("\(limit)_threads", in: mode)
    }

    @Test func lockingAllMemoryMakesNoReservedRangeResident() async throws {
        try await holds("locked")
    }

    @Test(arguments: ["locked_exhausted", "locked_before_start"])
    func memoryThatCannotBeLockedIsNoMemory(promise: String) async throws {
        try await holds(promise)
    }

    @Test func programsRunUnderStrictOvercommit() async throws {
        let wrapper = try await InterfaceProgram(source: "strict_overcommit.c").executable()
        let program = try await InterfaceProgram(source: "limits.c").executable()
        let outcome = try await run(wrapper, [program, "strict_overcommit"])
        try expectHolds(outcome, sourceLocation: #_sourceLocation)
    }
}

@Suite(.serialized)
struct LimitPeakTests {
    /// The peak resident size of `command` under `allocator`, in KiB.
    private func peak(_ command: [String], under allocator: Allocator, in folder: URL) async throws -> Int {
        let peak = try await Compiler.shared.executable("peak.c")
        let result = folder.appending(path: "peak").path
        let outcome = try await run(peak, ["-o", result] + command, under: allocator)
        try #require(outcome.succeeded && outcome.errors == "", "\(outcome.report)")
        let number = try String(contentsOfFile: result, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        return try #require(Int(number))
    }

    @Test(arguments: [["true"], ["echo", "hello"], ["cat", "small"], ["sh", "-c", ":"]])
    func tinyProgramsStayWithin130PercentOfGlibcsPeak(command: [String]) async throws {
        let folder = try TemporaryFolder()
        let small = folder.url.appending(path: "small")
        try "a small file\n".write(to: small, atomically: true, encoding: .utf8)
        let command = command.map { $0 == "small" ? small.path : $0 }
        // A fault maps the pages around it as well, and how many depends on the random addresses:
        // single runs differ by 15 %.
        let runs = 40
        var (our, their) = (0, 0)
        for _ in 0..<runs {
            our += try await peak(command, under: .percolate(), in: folder.url)
            their += try await peak(command, under: .glibc, in: folder.url)
        }
        // Of the difference three quarters are the library's code, which all processes share and
        // the kernel maps in large pieces.
        #expect(Double(our) <= 1.3 * Double(their), "means: \(our / runs) KiB against \(their / runs) KiB")
    }
}
