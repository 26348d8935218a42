import Foundation
import TestSupport
import Testing

/// The instructions that an entry point of the built library executes when nothing is in its way.
struct FastPath {
    /// An architecture that has entry points, and how its code reads.
    enum Architecture: String, CaseIterable, CustomTestStringConvertible {
        case amd64 = "x86_64"
        case arm64 = "aarch64"

        var testDescription: String { rawValue }

        /// That of the built library.
        static var own: Architecture {
            #if arch(arm64)
                .arm64
            #else
                .amd64
            #endif
        }

        /// The disassembler that knows it.
        var disassembler: String { self == .own ? "objdump" : "\(rawValue)-linux-gnu-objdump" }

        /// Whether a straight line of instructions ends with this one.
        func ends(_ instruction: String) -> Bool {
            switch self {
            case .amd64: instruction.hasPrefix("ret") || instruction.hasPrefix("jmp")
            case .arm64: instruction == "ret" || instruction.hasPrefix("b ") || instruction.hasPrefix("br ")
            }
        }
    }

    /// Each with its operands, as objdump prints them: `decl 0x40(%rcx,%r9,8)`, in AT&T syntax, or
    /// `str w10, [x15, #64]`.
    let instructions: [String]
    let architecture: Architecture

    /// Follows the code of `symbol` from its entry, past every conditional jump, to its return or
    /// to its jump to another function.
    ///
    /// Every conditional jump of a fast path leaves it, so it is a straight line.
    init(of symbol: String, in library: String, _ architecture: Architecture = .own) async throws {
        self.architecture = architecture
        let range = try await Self.addresses(of: symbol, in: library)
        let listing = try await run(
            architecture.disassembler,
            [
                "-d", "--no-show-raw-insn", "--start-address=\(range.lowerBound)", "--stop-address=\(range.upperBound)",
                library,
            ], under: .glibc)
        try #require(listing.succeeded, "\(listing.errors)")
        var path: [String] = []
        for line in listing.output.split(separator: "\n") {
            guard let match = line.firstMatch(of: /^\s*[0-9a-f]+:\t(.+)$/) else { continue }
            let code = match.output.1.replacing(/(<|#\s|\/\/).*/, with: "").replacing(/\s+/, with: " ")
            let text = code.trimmingCharacters(in: .whitespaces)
            path.append(text)
            if architecture.ends(text) { break }
        }
        let last = try #require(path.last, "objdump lists nothing for \(symbol)")
        try #require(architecture.ends(last), "\(symbol) does not end: \(path)")
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
        switch architecture {
        case .amd64: costOfX86
        case .arm64: costOfAArch64
        }
    }

    private var costOfAArch64: Cost {
        var cost = Cost(instructions: instructions.count)
        for instruction in instructions {
            let name = instruction.prefix { $0 != " " }
            if ["b", "br", "ret", "cbz", "cbnz", "tbz", "tbnz"].contains(name) || name.hasPrefix("b.") {
                cost.branches += 1
            }
            if name.hasPrefix("ld") { cost.loads += 1 }
            if name.hasPrefix("st") { cost.stores += 1 }
        }
        return cost
    }

    private var costOfX86: Cost {
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
