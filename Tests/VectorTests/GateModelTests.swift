import Foundation
import TestSupport
import Testing

/// The Promela models of the gate, of the fork gate, and of what a weakly ordered machine adds,
/// checked by spin: each holds, and it stops holding when any part of the protocol is taken away.
@Suite struct GateModelTests {
    @Test(arguments: ["gate", "fork_gate", "weak_gate", "weak_start", "weak_top"]) func theProtocolHolds(model: String)
        async throws
    {
        let report = try await check(model, [])
        #expect(report.contains("errors: 0"), "\(report)")
    }

    @Test(arguments: [
        "NO_FENCE", "NO_LOCK", "WRONG_OPEN", "FENCE_BEFORE_CLOSE", "CLOSE_WITHOUT_SEQUENCE", "FORK_WITHOUT_LOCK",
    ])
    func withoutOneOfItsPartsTheGateDoesNotHold(part: String) async throws {
        let report = try await check("gate", ["-D\(part)"])
        #expect(report.contains("errors: 1") && report.contains("assertion violated"), "\(report)")
    }

    @Test(arguments: [
        "LOOK_BEFORE_SLOT", "NO_LOOK", "PLAIN_SLOT", "PLAIN_CLOSE", "CLOSE_AFTER_LOOK",
        "ONE_SLOT_UNSEEN", "EARLY_LEAVE", "INNER_OPENS",
    ])
    func withoutOneOfItsPartsTheForkGateDoesNotHold(part: String) async throws {
        let report = try await check("fork_gate", ["-D\(part)"])
        #expect(report.contains("errors: 1") && report.contains("assertion violated"), "\(report)")
    }

    @Test(arguments: [
        ("weak_gate", "PLAIN_OPEN"), ("weak_gate", "PLAIN_LOADS"), ("weak_gate", "NO_FENCE"),
        ("weak_gate", "FENCE_WITHOUT_BARRIER"), ("weak_gate", "PLAIN_UNLOCK"), ("weak_start", "NO_FENCE"),
        ("weak_start", "ONE_SIDED"), ("weak_top", "NO_FENCE"),
    ])
    func withoutOneOfItsOrderingsTheProtocolDoesNotHold(model: String, part: String) async throws {
        let report = try await check(model, ["-D\(part)"])
        #expect(report.contains("errors: 1") && report.contains("assertion violated"), "\(report)")
    }

    @Test func aBlockThatIsFreedTwiceIsFound() async throws {
        let report = try await check("weak_top", ["-DFREED_TWICE"])
        #expect(report.contains("errors: 0"), "\(report)")
    }

    /// Every state of the model, depth first, until the first error.
    private func check(_ model: String, _ definitions: [String]) async throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "percolate-gate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = Checkout.root.appending(path: "Tests/Model/\(model).pml").path
        let generated = try await run("spin", definitions + ["-a", source], under: .glibc, directory: folder)
        try #require(generated.succeeded, "\(generated.output)\(generated.errors)")
        let compiled = try await run(
            "cc", ["-O2", "-w", "-DSAFETY", "-o", "pan", "pan.c"], under: .glibc, directory: folder)
        try #require(compiled.succeeded, "\(compiled.errors)")
        // Some seconds of one CPU, which other programs may be using.
        let checked = try await run(
            folder.appending(path: "pan").path, ["-m200000"], under: .glibc, directory: folder, timeout: .seconds(900))
        return checked.output + checked.errors
    }
}
