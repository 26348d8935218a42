import Foundation
import TestSupport
import Testing

/// What a reader may rely on in every source file, whatever it is about.
@Suite struct SourceFormTests {
    private static let roots = ["Sources", "LD_PRELOAD", "Tests", "Benchmarks"]

    /// The source files below `roots`, by their paths from the checkout.
    private static func files(
        _ roots: [String], endings: Set<String> = ["swift", "c", "cpp", "h", "S", "py"]
    ) throws -> [(path: String, text: String)] {
        var found: [(path: String, text: String)] = []
        for root in roots {
            let folder = Checkout.root.appending(path: root)
            for case let name as String in FileManager.default.enumerator(atPath: folder.path) ?? .init() {
                guard endings.contains((name as NSString).pathExtension),
                    !name.split(separator: "/").contains(where: { $0.hasPrefix(".") })
                else { continue }
                let file = folder.appending(path: name)
                // The core's files stand once: `CoreHosted` is a link to them.
                guard file.resolvingSymlinksInPath().path == file.path else { continue }
                found.append(("\(root)/\(name)", try String(contentsOf: file, encoding: .utf8)))
            }
        }
        return found
    }

    private static func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(text.hasSuffix("\n") ? 1 : 0)
    }

    /// Longer files, each with its reason.
    private static let longer = [
        "Benchmarks/programs.py": "a script that needs no module beside it"
    ]

    /// A file is one concept, which is read in one go.
    @Test func noFileHasMoreThan300Lines() throws {
        let files = try Self.files(Self.roots)
        try #require(files.count > 500)
        for (path, text) in files where Self.longer[path] == nil {
            let count = Self.lines(text).count
            #expect(count <= 300, "\(path) has \(count) lines: which concepts are in it?")
        }
    }

    /// Comments that end behind column 100. Pseudocode and examples, which are indented by four or
    /// more, are as wide as they are.
    private static func wideComments(_ text: String) -> [Substring] {
        lines(text).filter { line in
            line.count > 100 && line.firstMatch(of: /^ *\/{2,3}(?!\/) {0,3}[^ ]/) != nil
        }
    }

    @Test func commentsEndAtColumn100() throws {
        for (path, text) in try Self.files(["Sources", "LD_PRELOAD", "Tests"]) {
            let wide = Self.wideComments(text)
            #expect(wide.isEmpty, "\(path): \(wide.joined(separator: "\n"))")
        }
    }

    /// The numbers of the counters that a source file declares.
    private static func counters(_ text: String) -> [Int] {
        text.matches(of: /static var \w+: Counter \{ Counter\((\d+)\) \}/).compactMap { Int($0.output.1) }
    }

    @Test func eachCounterHasAColumnOfItsOwn() throws {
        let columns = try Self.files(["Sources/Core"]).flatMap { Self.counters($0.text) }
        #expect(columns.sorted() == Array(0..<columns.count) && columns.count >= 19 && columns.count <= 32)
    }

    /// Paths from the checkout that a text names, of which nothing is there.
    private static func missingPaths(_ text: String) -> [String] {
        text.matches(of: /(?:^|[^\w\/.])((?:Sources|LD_PRELOAD|Tests|Benchmarks)\/[\w.\/+-]*\w)/)
            .map { String($0.output.1) }
            .filter { !FileManager.default.fileExists(atPath: Checkout.root.appending(path: $0).path) }
    }

    @Test func filesThatProseNamesAreThere() throws {
        for (path, text) in try Self.files(["Sources"], endings: ["md"]) {
            #expect(Self.missingPaths(text) == [], "\(path)")
        }
        for (path, text) in try Self.files(Self.roots) {
            let comments = Self.lines(text).filter { $0.firstMatch(of: /^ *(?:\/\/|# )/) != nil }
            #expect(Self.missingPaths(comments.joined(separator: "\n")) == [], "\(path)")
        }
        let readme = try String(contentsOf: Checkout.root.appending(path: "README.md"), encoding: .utf8)
        // The reader's own package in a recipe.
        #expect(Set(Self.missingPaths(readme)).subtracting(["Sources/hello/main.swift"]) == [])
    }

    /// The negative control.
    @Test func whatIsTooWideOrTooLongOrNotThereIsFound() {
        #expect(Self.missingPaths("see Tests/run, and `Sources/Core/Middle/Nothing.swift`.").count == 1)
        let word = String(repeating: "word ", count: 20)
        #expect(Self.wideComments("    /// \(word)\n/// - Parameter a: \(word)\n").count == 2)
        #expect(Self.wideComments("///     \(word)\n/// short\nlet a = \"\(word)\"\n").isEmpty)
        #expect(Self.lines(String(repeating: "line\n", count: 301)).count == 301)
        let twice = "    static var a: Counter { Counter(3) }\n    static var b: Counter { Counter(3) }\n"
        #expect(Self.counters(twice) == [3, 3])
    }
}
