import Foundation
import TestSupport
import Testing

/// The instructions that an entry point of the built library executes when nothing is in its way.
struct FastPath {
    /// Each with its operands, as objdump prints them in AT&T syntax: `decl 0x40(%rcx,%r9,8)`.
    let instructions: [String]

    /// Follows the code of `symbol` from its entry, past every conditional jump, to its return or to its jump to another function.
    ///
    /// Every conditional jump of a fast path leaves it, so it is a straight line.
    init(of symbol: String, in library: String) async throws {
        let range = try await Self.addresses(of: symbol, in: library)
        let listing = try await run(
            "objdump",
            [
                "-d", "--no-show-raw-insn", "--start-address=\(range.lowerBound)", "--stop-address=\(range.upperBound)",
                library,
            ], under: .glibc)
        try #require(listing.succeeded, "\(listing.errors)")
        var path: [String] = []
        for line in listing.output.split(separator: "\n") {
            guard let match = line.firstMatch(of: /^\s*[0-9a-f]+:\t(.+)$/) else { continue }
            let text = match.output.1.prefix { $0 != "#" && $0 != "<" }.trimmingCharacters(in: .whitespaces)
            path.append(text.replacing(/\s+/, with: " "))
            if text.hasPrefix("ret") || text.hasPrefix("jmp") { break }
        }
        let last = try #require(path.last, "objdump lists nothing for \(symbol)")
        try #require(last.hasPrefix("ret") || last.hasPrefix("jmp"), "\(symbol) does not end: \(path)")
        instructions = path
    }

    /// The code of `symbol`, from the symbol table.
    private static func addresses(of symbol: String, in library: String) async throws -> Range<UInt64> {
        let table = try await run("nm", ["-S", "--defined-only", library], under: .glibc)
        try #require(table.succeeded, "\(table.errors)")
        for line in table.output.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 4, words[3] == symbol, let start = UInt64(words[0], radix: 16),
                let size = UInt64(words[1], radix: 16), size > 0
            else { continue }
            return start..<(start + size)
        }
        throw NotFound(description: "\(symbol) is no function of \(library)")
    }

    struct NotFound: Error, CustomStringConvertible { let description: String }

    var cost: Cost {
        var cost = Cost(instructions: instructions.count)
        for instruction in instructions {
            let words = instruction.split(separator: " ", maxSplits: 1)
            let name = String(words[0])
            let operands = words.count > 1 ? String(words[1]) : ""
            if name.hasPrefix("j") || name.hasPrefix("ret") { cost.branches += 1 }
            guard operands.contains("("), name != "lea" else { continue }
            // AT&T syntax: the last operand is the destination.
            let destinationIsMemory = operands.hasSuffix(")")
            switch name {
            case _
            where !destinationIsMemory || name.hasPrefix("cmp") || name.hasPrefix("test") || name.hasPrefix("jmp"):
                cost.loads += 1
            case _ where name.hasPrefix("mov"): cost.stores += 1
            default:
                cost.loads += 1
                cost.stores += 1
            }
        }
        return cost
    }
}

/// What a straight line of code executes.
struct Cost: Equatable, CustomStringConvertible {
    var instructions = 0
    /// Jumps, taken or not, and the return.
    var branches = 0
    var loads = 0
    var stores = 0

    var description: String {
        "\(instructions) instructions, \(branches) branches, \(loads) loads, \(stores) stores"
    }
}
