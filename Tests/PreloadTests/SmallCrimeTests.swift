import Foundation
import TestSupport
import Testing

/// A program of `Tests/Programs/Crimes/Small`, and what each level of hardening says of it: a row
/// of the table in the article `LevelsOfHardening` of the documentation.
struct SmallCrime: CustomTestStringConvertible, Sendable {
    let name: String
    /// What the allocator calls it, `fault` where the program dies of the access itself, `-` where
    /// it goes on.
    let findings: [Level: String]

    enum Level: String, CaseIterable, Sendable {
        case off = "hardened=0"
        case basic = "hardened=basic"
        case full = "hardened=1"
    }

    var testDescription: String { name }

    /// The rows of the documentation. A program without a row, or a row without a program, is an
    /// error.
    static func all() throws -> [SmallCrime] {
        let article = Checkout.root.appending(path: "Sources/Percolate/Percolate.docc/LevelsOfHardening.md")
        let row = /\| `([a-z_]+)` \| ([a-z -]+) \| ([a-z -]+) \| ([a-z -]+) \|/
        let rows = try String(contentsOf: article, encoding: .utf8).split(separator: "\n")
            .compactMap { line in
                try row.wholeMatch(in: line).map { match in
                    SmallCrime(
                        name: String(match.1),
                        findings: [
                            .off: String(match.2), .basic: String(match.3), .full: String(match.4),
                        ])
                }
            }
        let files = try FileManager.default.contentsOfDirectory(
            atPath: Checkout.programs.appending(path: "Crimes/Small").path)
        let names = Set(
            files.filter { !$0.hasSuffix(".h") }.map { String($0.prefix { $0 != "." }) })
        try #require(Set(rows.map(\.name)) == names, "the table and the programs differ")
        return rows
    }

    /// Compiles the program, or its innocent twin.
    func executable(benign: Bool) async throws -> String {
        let folder = Checkout.programs.appending(path: "Crimes/Small")
        let isCxx = FileManager.default.fileExists(
            atPath: folder.appending(path: "\(name).cpp").path)
        return try await Compiler.shared.executable(
            "Crimes/Small/\(name).\(isCxx ? "cpp" : "c")",
            flags: ["-w", "-DBENIGN=\(benign ? 1 : 0)"])
    }
}

@Suite(.serialized)
struct SmallCrimeTests {
    private static let crimes = Result { try SmallCrime.all() }

    @Test func theDocumentationNamesEveryProgram() throws {
        #expect(try Self.crimes.get().count >= 40)
    }

    @Test(arguments: SmallCrime.Level.allCases)
    func eachCrimeIsFoundAsDocumented(level: SmallCrime.Level) async throws {
        for crime in try Self.crimes.get() {
            let program = try await crime.executable(benign: false)
            let outcome = try await run(
                program, under: .percolate(options: level.rawValue), timeout: .seconds(60))
            let finding = crime.findings[level] ?? ""
            let complaints = outcome.errors.split(separator: "\n").filter {
                $0.hasPrefix("percolate: ")
            }
            let complaint = complaints.first
            switch finding {
            case "-":
                #expect(
                    outcome.signal == nil && complaint == nil, "\(crime.name): \(outcome.report)")
            case "fault":
                #expect(
                    outcome.signal == 11 && complaint == nil, "\(crime.name): \(outcome.report)")
            default:
                #expect(
                    outcome.signal == 6 && complaints.count == 1,
                    "\(crime.name): \(outcome.report)")
                #expect(
                    complaint?.hasPrefix("percolate: \(finding): 0x") == true,
                    "\(crime.name): \(outcome.report)")
            }
        }
    }

    /// Full hardening misses none of them.
    @Test func fullHardeningFindsEveryCrime() throws {
        for crime in try Self.crimes.get() {
            #expect(crime.findings[.full] != "-", "\(crime.name)")
        }
    }

    @Test(arguments: SmallCrime.Level.allCases)
    func innocentTwinsAreLeftAlone(level: SmallCrime.Level) async throws {
        for crime in try Self.crimes.get() {
            let program = try await crime.executable(benign: true)
            let outcome = try await run(
                program, under: .percolate(options: level.rawValue), timeout: .seconds(60))
            #expect(outcome.succeeded && outcome.errors.isEmpty, "\(crime.name): \(outcome.report)")
        }
    }

    /// A report of a fully hardened heap says which block, when, by whom, and where it was changed.
    @Test(arguments: [
        (
            "overflow_by_one",
            "block of 24 bytes, byte 24 changed, allocated [0-9]+ ms ago by thread [0-9]+"
        ),
        (
            "write_after_free",
            "block of 24 bytes, byte 0 changed, freed [0-9]+ ms ago by thread [0-9]+"
        ),
        ("double_free_by_two_threads", "block of 24 bytes, freed [0-9]+ ms ago by thread [0-9]+"),
        (
            "interior_free",
            "block of 64 bytes at 0x[0-9a-f]+, allocated [0-9]+ ms ago by thread [0-9]+"
        ),
    ])
    func theReportTellsTheBlocksStory(name: String, story: String) async throws {
        let crime = try #require(try Self.crimes.get().first { $0.name == name })
        let program = try await crime.executable(benign: false)
        let outcome = try await run(program, under: .percolate(options: "hardened=1"))
        #expect(try outcome.errors.contains(Regex(story)), "\(outcome.report)")
    }

    /// A process that becomes strict while it runs: `become_hardened.c` says what it expects.
    @Test(arguments: ["basic", "full"], ["", "rseq=off", "index=mm_cid"])
    func aProcessBecomesStricterWhileItsThreadsAllocate(level: String, options: String) async throws {
        let program = try await Compiler.shared.executable(
            "Stress/become_hardened.c",
            flags: ["-I\(Checkout.root.path)/Sources/CPercolate/include"])
        let outcome = try await run(
            program, [level], under: .percolate(options: options), timeout: .seconds(120))
        #expect(outcome.signal == 6, "\(outcome.report)")
        #expect(outcome.output == "hardened\n", "\(outcome.report)")
        #expect(outcome.errors.hasPrefix("percolate: double free: 0x"), "\(outcome.report)")
    }
}
