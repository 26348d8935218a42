import Foundation
import TestSupport
import Testing

/// The programs of `Benchmarks/Examples`, linked with Percolate as a user links it, built once and
/// run for a short time.
///
/// Each checks its own result, and ends with a failure where that is wrong.
@Suite(.serialized) struct ExampleTests {
    /// Far from the ratios that a quiet machine shows (0.4 and 0.2): only a counter that has lost
    /// its section fails.
    @Test func aPerCPUCounterBeatsASharedAtomicNumber() async throws {
        let program = try await Self.built.value.appending(path: "counter").path
        let outcome = try await run(program, under: .glibc, timeout: .seconds(300))
        try #require(outcome.succeeded, "\(outcome)")
        let ratios = outcome.output.matches(of: /threads \d+: .* ratio (\d+\.\d+)\n/).compactMap { Double($0.1) }
        #expect(ratios.count == 2 && ratios.allSatisfy { $0 < 0.9 }, "\(outcome.output)")
    }

    /// Far from the ratios that a quiet machine shows (0.2 to 0.4): only an array that is not built
    /// in place, or an arena that is not inlined, fails.
    @Test func buildingAnOwnedArrayBeatsAnArrayAndAnArenaBeatsBlocks() async throws {
        let program = try await Self.built.value.appending(path: "arrays").path
        let outcome = try await run(program, under: .glibc, timeout: .seconds(300))
        try #require(outcome.succeeded, "\(outcome)")
        let builds = outcome.output.matches(of: /build 1000(?:000)? .*ratio of Array (\d+\.\d+),/)
        let requests = outcome.output.matches(of: /request .*ratio of HeapBuffer (\d+\.\d+),/)
        let ratios = (builds + requests).compactMap { Double($0.1) }
        #expect(ratios.count == 5 && ratios.allSatisfy { $0 < 0.9 }, "\(outcome.output)")
    }

    /// The long matrix builds them outside the repository, where nothing is built yet.
    private static let built = Task {
        var package = Checkout.root.appending(path: "Benchmarks/Examples")
        if ProcessInfo.processInfo.environment["PERCOLATE_LONG"] == "1" {
            let folder = RunFolder.url.appending(path: "examples")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            package = try await CommittedClone.extract("Benchmarks/Examples", to: folder)
        }
        let outcome = try await run(
            "swift", ["build", "-c", "release", "--package-path", package.path], under: .glibc,
            environment: ["EXAMPLES_ALLOCATOR": nil], timeout: .seconds(1500))
        try #require(outcome.succeeded, "\(outcome.output.suffix(4000)) \(outcome.errors.suffix(4000))")
        return package.appending(path: ".build/release")
    }

    @Test(arguments: [
        ("json-loop", ["200"]), ("actors", ["300"]), ("echo-server", ["150"]),
        ("session-server", ["12000", "64", "64"]),
    ])
    func theExampleDoesItsWorkOnTheLinkedAllocator(example: String, arguments: [String]) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "percolate-example-\(ProcessInfo.processInfo.processIdentifier)-\(example)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }

        let prefix = folder.appending(path: "stats").path
        let outcome = try await run(
            try await Self.built.value.appending(path: example).path, arguments, under: .glibc,
            environment: ["PERCOLATE_OPTIONS": "stats=\(prefix)"], timeout: .seconds(300))
        try #require(outcome.succeeded, "\(outcome)")
        #expect(outcome.errors == "")
        let line = try #require(
            outcome.output.wholeMatch(
                of: /(\S+) seconds \d+\.\d+ loaded (\d+) idle (\d+) peak (\d+) percolate true\n/),
            "\(outcome.output)")
        #expect(line.1 == example)
        // The kernel counts the pages of each CPU apart, and adds them up now and then.
        let peak = try #require(Int(line.4)) * 11 / 10
        let resident = [line.2, line.3].compactMap { Int($0) }
        #expect(resident.count == 2 && resident.allSatisfy { $0 > 1 << 20 && $0 <= peak }, "\(line.0)")

        let statistics = try Statistics.all(prefix: prefix)
        #expect(statistics.count == (example == "session-server" ? 2 : 1), "one file for each process")
        for process in statistics { #expect(process.servedBlocks > 200) }
    }
}
