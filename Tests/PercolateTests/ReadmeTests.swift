import Foundation
import TestSupport
import Testing

/// What the README tells a new user to type does what it says.
@Suite struct ReadmeTests {
    /// The lines for a Swift program, as they stand there.
    private static func lines() throws -> String {
        let text = try String(contentsOf: Checkout.root.appending(path: "README.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "### From Swift\n").dropFirst().first)
        return String(try #require(section.firstMatch(of: /```sh\n((?s).*?)```\n/)).1)
    }

    @Test func aNewUserGetsFromNothingToARunningProgram() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "percolate-readme-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await TaggedClone.make(in: folder)
        let outcome = try await run(
            "bash", ["-euc", try Self.lines()], under: .glibc, directory: folder, timeout: .seconds(1200))
        #expect(outcome.succeeded, "\(outcome)")
        #expect(outcome.output.wholeMatch(of: /true [1-9]\d+\n/) != nil, "\(outcome.output)")
    }

    @Test func manifestAndProgramTakeFewerThanTenLines() throws {
        let files = try Self.lines().matches(of: /<<END\n((?s).*?)END\n/).map(\.1)
        #expect(files.count == 2)
        #expect(files.reduce(0) { $0 + $1.split(separator: "\n").count } < 10)
    }
}
