import Foundation
import TestSupport
import Testing

/// The fast paths cost what the checked-in budget says: neither more, nor less without somebody writing it down.
struct BudgetTests {
    static let sections = [
        "malloc", "free", "free_sized", "calloc", "_Znwm", "mallocx", "dallocx", "sdallocx",
    ]
    /// With the one that needs no section: `realloc` of a block that keeps its class.
    static let entries = sections + ["realloc"]

    static let budget: [String: Cost] = {
        let file = Checkout.root.appending(path: "Tests/PreloadTests/fast-path-budget.txt")
        var result: [String: Cost] = [:]
        for line in ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 5, !line.hasPrefix("#") else { continue }
            let numbers = words.dropFirst().compactMap { Int($0) }
            guard numbers.count == 4 else { continue }
            result[String(words[0])] = Cost(
                instructions: numbers[0], branches: numbers[1], loads: numbers[2], stores: numbers[3])
        }
        return result
    }()

    @Test func theBudgetNamesExactlyTheFastPaths() {
        #expect(Set(Self.budget.keys) == Set(Self.entries))
    }

    @Test(arguments: entries) func theFastPathCostsItsBudget(entry: String) async throws {
        let budget = try #require(Self.budget[entry])
        let path = try await FastPath(of: entry, in: Checkout.library)
        #expect(path.cost == budget, "\(entry): \(path.instructions.joined(separator: "; "))")
    }

    @Test(arguments: ["malloc", "free"]) func mallocAndFreeTakeAtMostTwentyInstructions(entry: String) async throws {
        let path = try await FastPath(of: entry, in: Checkout.library)
        #expect(path.cost.instructions <= 20)
        #expect(path.instructions.last == "ret")
    }

    /// What makes a section of it: one commit, after which nothing is left but the return.
    @Test(arguments: sections) func theLastStoreIsTheCommit(entry: String) async throws {
        let path = try await FastPath(of: entry, in: Checkout.library).instructions
        let commits = path.indices.filter { path[$0].hasPrefix("decl") || path[$0].hasPrefix("incl") }
        let commit = try #require(commits.first)
        #expect(commits.count == 1)
        let rest = path[(commit + 1)...]
        #expect(rest.allSatisfy { !$0.contains("(") || $0.hasPrefix("jmp") }, "\(rest)")
    }

    @Test(arguments: entries) func noFastPathCallsOrTouchesTheStack(entry: String) async throws {
        let path = try await FastPath(of: entry, in: Checkout.library).instructions
        #expect(
            !path.contains {
                $0.hasPrefix("call") || $0.hasPrefix("push") || $0.hasPrefix("pop") || $0.contains("%rsp")
            })
    }
}
