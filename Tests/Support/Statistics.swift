import Foundation

/// The statistics that one process wrote at its end: `name value` lines below a title line.
public struct Statistics: Sendable {
    public let values: [String: String]

    public init(_ text: some StringProtocol) {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            if words.count == 2 { values[String(words[0])] = words[1].trimmingCharacters(in: .whitespaces) }
        }
        self.values = values
    }

    public subscript(name: String) -> Int { values[name].flatMap { Int($0) } ?? 0 }

    /// Blocks that Percolate handed to this process. Above zero proves that Percolate served it.
    public var servedBlocks: Int { self["served_blocks"] }

    /// All statistics that `stats=<prefix>` left: one file per process, `<prefix>.<process id>`.
    public static func all(prefix: String) throws -> [Statistics] {
        let url = URL(filePath: prefix)
        let folder = url.deletingLastPathComponent()
        return try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix(url.lastPathComponent + ".") }
            .map { Statistics(try String(contentsOf: folder.appending(path: $0), encoding: .utf8)) }
    }
}
