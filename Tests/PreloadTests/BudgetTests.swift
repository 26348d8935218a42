import Foundation
import TestSupport
import Testing

/// The fast paths cost what the checked-in budget says: neither more, nor less without somebody
/// writing it down.
struct BudgetTests {
    static let sections = [
        "malloc", "free", "free_sized", "calloc", "_Znwm", "mallocx", "dallocx", "sdallocx",
    ]
    /// With the one that needs no section: `realloc` of a block that keeps its class.
    static let entries = sections + ["realloc"]

    private static func budget(for architecture: FastPath.Architecture) throws -> [String: Cost] {
        let name = "fast-path-budget-\(architecture.rawValue).txt"
        let file = Checkout.root.appending(path: "Tests/PreloadTests/\(name)")
        var result: [String: Cost] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 5, !line.hasPrefix("#") else { continue }
            let numbers = words.dropFirst().compactMap { Int($0) }
            guard numbers.count == 4 else { continue }
            result[String(words[0])] = Cost(
                instructions: numbers[0], branches: numbers[1], loads: numbers[2], stores: numbers[3])
        }
        return result
    }

    /// The built library, or for another architecture the entry points alone, which need nothing
    /// else to be assembled.
    private static func code(for architecture: FastPath.Architecture) async throws -> String {
        if architecture == .own { return Checkout.library }
        return try await assembled(for: architecture)
    }

    private static func assembled(for architecture: FastPath.Architecture) async throws -> String {
        try FileManager.default.createDirectory(at: RunFolder.url, withIntermediateDirectories: true)
        let object = RunFolder.url.appending(path: "entry-\(architecture.rawValue)-\(UUID().uuidString).o").path
        let root = Checkout.root.path
        let outcome = try await run(
            try swiftsClang(),
            [
                "--target=\(architecture.rawValue)-linux-gnu", "-c", "\(root)/LD_PRELOAD/entry.S", "-o", object,
            ] + Headers.internalFlags, under: .glibc)
        try #require(outcome.succeeded, "\(outcome.errors)")
        return object
    }

    /// Older assemblers do not take the unwinding information of a section that is written inside
    /// another one.
    private static func swiftsClang() throws -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for folder in path.split(separator: ":") {
            let swiftc = URL(filePath: "\(folder)/swiftc")
            guard FileManager.default.isExecutableFile(atPath: swiftc.path) else { continue }
            return swiftc.resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "clang").path
        }
        throw FastPath.NotFound(description: "no swiftc on the PATH")
    }

    @Test(arguments: FastPath.Architecture.allCases)
    func theBudgetNamesExactlyTheFastPaths(architecture: FastPath.Architecture) throws {
        #expect(try Set(Self.budget(for: architecture).keys) == Set(Self.entries))
    }

    @Test(arguments: FastPath.Architecture.allCases)
    func theFastPathsCostTheirBudget(architecture: FastPath.Architecture) async throws {
        let code = try await Self.code(for: architecture)
        let budget = try Self.budget(for: architecture)
        for entry in Self.entries {
            let path = try await FastPath(of: entry, in: code, architecture)
            #expect(path.cost == budget[entry], "\(entry): \(path.instructions.joined(separator: "; "))")
        }
    }

    /// A load and a store on AArch64 are what a memory operand is on x86-64, and the address of
    /// each variable takes two instructions.
    @Test(arguments: ["malloc", "free"]) func mallocAndFreeAreShort(entry: String) async throws {
        for architecture in FastPath.Architecture.allCases {
            let path = try await FastPath(of: entry, in: Self.code(for: architecture), architecture)
            #expect(path.cost.instructions <= (architecture == .amd64 ? 20 : 36))
            #expect(path.instructions.last == "ret")
        }
    }

    /// What makes a section of it on AArch64: the last store is to the header, behind the one that
    /// arms, and that of a pushed block.
    @Test(arguments: sections) func theLastStoreOnAArch64IsTheCommit(entry: String) async throws {
        let path = try await FastPath(of: entry, in: Self.code(for: .arm64), .arm64).instructions
        let stores = path.filter { $0.hasPrefix("st") }
        #expect(stores.first == "str x10, [x13]", "\(path)")
        #expect(stores.last == "str w10, [x15, #64]", "\(path)")
        #expect(stores.dropFirst().dropLast().allSatisfy { $0 == "str x0, [x16]" }, "\(path)")
        #expect(!path.contains { $0.hasPrefix("bl ") || $0.contains("sp") && !$0.contains("tpidr") }, "\(path)")
    }

    /// What makes a section of it: one commit, after which nothing is left but the return.
    @Test(.enabled(if: FastPath.Architecture.own == .amd64), arguments: sections) func theLastStoreIsTheCommit(
        entry: String
    ) async throws {
        let path = try await FastPath(of: entry, in: Checkout.library).instructions
        let commits = path.indices.filter { path[$0].hasPrefix("decl") || path[$0].hasPrefix("incl") }
        let commit = try #require(commits.first)
        #expect(commits.count == 1)
        let rest = path[(commit + 1)...]
        #expect(rest.allSatisfy { !$0.contains("(") || $0.hasPrefix("jmp") }, "\(rest)")
    }

    @Test(.enabled(if: FastPath.Architecture.own == .amd64), arguments: entries) func noFastPathCallsOrTouchesTheStack(
        entry: String
    ) async throws {
        let path = try await FastPath(of: entry, in: Checkout.library).instructions
        #expect(
            !path.contains {
                $0.hasPrefix("call") || $0.hasPrefix("push") || $0.hasPrefix("pop") || $0.contains("%rsp")
            })
    }
}
