import Foundation
import TestSupport
import Testing

/// What the README tells a new user to type does what it says.
@Suite struct ReadmeTests {
    private static func text() throws -> String {
        try String(contentsOf: Checkout.root.appending(path: "README.md"), encoding: .utf8)
    }

    /// The two commands of the first screen, as they stand there.
    private static func commands() throws -> [String] {
        let firstScreen = try #require(try text().components(separatedBy: "\n## ").first)
        return firstScreen.matches(of: /(?m)^    (\S.*)$/).map { String($0.1) }
    }

    /// The lines for a Swift program, as they stand there.
    private static func lines() throws -> String {
        let section = try #require(try text().components(separatedBy: "### From Swift\n").dropFirst().first)
        return String(try #require(section.firstMatch(of: /```sh\n((?s).*?)```\n/)).1)
    }

    @Test func theFirstCommandBuildsAndServesARealProgram() async throws {
        // The build is the one under test. A second one would wait for the lock that `swift test`
        // holds.
        let build = "swift build -c release && "
        let command = try #require(try Self.commands().first)
        try #require(command.hasPrefix(build))
        let outcome = try await run(
            "bash", ["-euc", String(command.dropFirst(build.count))], under: .glibc, directory: Checkout.root)
        #expect(outcome.succeeded && outcome.output == "1000000\n", "\(outcome)")
        #expect(Statistics(outcome.errors).servedBlocks > 1_000_000, "\(outcome)")
    }

    /// `TestScriptTests` has what the script does.
    @Test func theSecondCommandIsTheTestScript() throws {
        #expect(try Self.commands().dropFirst() == ["Tests/run"])
    }

    @Test func aNewUserGetsFromNothingToARunningProgram() async throws {
        let folder = try TemporaryFolder()
        try await CommittedClone.make(in: folder.url)
        let outcome = try await run(
            "bash", ["-euc", try Self.lines()], under: .glibc, directory: folder.url, timeout: .seconds(1200))
        #expect(outcome.succeeded, "\(outcome)")
        #expect(outcome.output.wholeMatch(of: /true [1-9]\d+\n/) != nil, "\(outcome.output)")
        let fetched = try FileManager.default.contentsOfDirectory(atPath: folder.path("hello/.build/checkouts"))
        #expect(fetched == ["percolate"], "who wants the allocator alone fetches \(fetched)")
    }

    @Test func manifestAndProgramTakeFewerThanTenLines() throws {
        let files = try Self.lines().matches(of: /<<END\n((?s).*?)END\n/).map(\.1)
        #expect(files.count == 2)
        #expect(files.reduce(0) { $0 + $1.split(separator: "\n").count } < 10)
    }
}
