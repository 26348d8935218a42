import SystemPackage

/// The first line of a script, `#!interpreter [argument]`, as the kernel reads it.
struct ScriptLine {
    let interpreter: FilePath
    /// All the rest of the line, without the space around it.
    let argument: String?

    /// The kernel looks at no more of a file.
    private static let limit = 256

    /// Nil when the file is no script.
    init?(at path: FilePath) throws(ELFError) {
        let file = try FileReader(path)
        let bytes = try file.prefix(Self.limit, at: 0)
        guard bytes.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) else { return nil }
        let line = String(decoding: bytes.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }, as: UTF8.self)
        let words = line.split(maxSplits: 1) { $0 == " " || $0 == "\t" }
        guard let first = words.first else { return nil }
        interpreter = FilePath(String(first))
        let rest = words.count == 2 ? Self.trimmed(words[1]) : ""
        argument = rest.isEmpty ? nil : String(rest)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        let start = text.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return start[...last]
    }
}
