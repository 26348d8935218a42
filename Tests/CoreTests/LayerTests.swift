import Foundation
import TestSupport
import Testing

/// A folder of the core names nothing that a folder above it declares.
@Suite struct LayerTests {
    /// From the bottom up.
    private static let folders = [
        "Platform", "Vectors", "Arena", "Emergency", "Middle", "FrontEnd", "Hardened", "Sampling", "Heap", "Entry",
    ]
    private static let core = Checkout.root.appending(path: "Sources/Core")

    /// What one source file declares for others, and the words in it that can mean something
    /// declared elsewhere.
    private struct Source {
        let declared: Set<String>
        let used: Set<String>

        init(_ text: String) {
            let code = text.replacing(/\/\/.*/, with: "").replacing(/"(?:\\.|[^"\\\n])*"/, with: "\"\"")
            let declaration =
                /(?m)^((?:@?\w+(?:\(\w+\))?\s+)*?)(?:struct|enum|class|protocol|typealias|func|var|let) (\w+)/
            declared = Set(
                code.matches(of: declaration).filter { !$0.output.1.contains("private ") }.map { String($0.output.2) })
            let local = code.matches(of: /(?:struct|enum|typealias|func|var|let|case|inout|for|_) (\w+)|(\w+):/)
                .map { String($0.output.1 ?? $0.output.2 ?? "") }
            // A word behind a dot is a member, of whatever is in front of it.
            let words = code.matches(of: /(\.?)\b([A-Za-z_]\w*)/).filter { $0.output.1.isEmpty }
            used = Set(words.map { String($0.output.2) }).subtracting(local)
        }
    }

    /// What `source`, of `folder`, names of the folders above it.
    private static func climbs(_ source: Source, in folder: String, _ declared: [String: Set<String>]) -> Set<String> {
        let position = folders.firstIndex(of: folder) ?? 0
        let below = folders[...position].reduce(into: Set<String>()) { $0.formUnion(declared[$1] ?? []) }
        let above = folders[(position + 1)...].reduce(into: Set<String>()) { $0.formUnion(declared[$1] ?? []) }
        return source.used.intersection(above.subtracting(below))
    }

    private static func sources() throws -> [String: [String: Source]] {
        var sources: [String: [String: Source]] = [:]
        for folder in folders {
            let files = try FileManager.default.contentsOfDirectory(
                at: core.appending(path: folder), includingPropertiesForKeys: nil)
            for file in files where file.pathExtension == "swift" {
                let text = try String(contentsOf: file, encoding: .utf8)
                sources[folder, default: [:]][file.lastPathComponent] = Source(text)
            }
        }
        return sources
    }

    private static func declared(_ sources: [String: [String: Source]]) -> [String: Set<String>] {
        sources.mapValues { $0.values.reduce(into: Set<String>()) { $0.formUnion($1.declared) } }
    }

    @Test func everyFolderHasItsPlace() throws {
        let present = try FileManager.default.contentsOfDirectory(atPath: Self.core.path)
        #expect(Set(present) == Set(Self.folders))
    }

    @Test func noFolderNamesWhatIsAboveIt() throws {
        let sources = try Self.sources()
        let declared = Self.declared(sources)
        #expect(declared["Middle"]?.contains("CentralList") == true && declared["Heap"]?.contains("Requests") == true)
        for (folder, files) in sources {
            for (name, source) in files {
                let climbs = Self.climbs(source, in: folder, declared)
                #expect(climbs.isEmpty, "\(folder)/\(name) names \(climbs.sorted())")
            }
        }
    }

    /// The types that a source file declares for others, outside of other types.
    private static func types(_ text: String) -> [String] {
        text.matches(of: /(?m)^(?:public )?(?:struct|enum|class|protocol) (\w+)/).map { String($0.output.1) }
    }

    /// A type is found by its name: its file, or that of the type it belongs to, is called as it
    /// is.
    @Test func filesAreNamedAfterTheirTypes() throws {
        #expect(Self.types("struct A {\n    enum B {}\n}\nprivate enum C {}\npublic protocol D {}") == ["A", "D"])
        for folder in Self.folders {
            let files = try FileManager.default.contentsOfDirectory(
                at: Self.core.appending(path: folder), includingPropertiesForKeys: nil)
            for file in files {
                let types = Self.types(try String(contentsOf: file, encoding: .utf8))
                let name = file.deletingPathExtension().lastPathComponent
                #expect(types.isEmpty || types.contains(name), "\(folder)/\(name) declares \(types)")
            }
        }
        for (folder, name) in [
            ("FrontEnd", "Slab"), ("FrontEnd", "FrontEnd"), ("Heap", "Heap"), ("Emergency", "Emergency"),
            ("Emergency", "Refusal"),
        ] {
            let file = Self.core.appending(path: "\(folder)/\(name).swift")
            #expect(Self.types(try String(contentsOf: file, encoding: .utf8)).contains(name))
        }
    }

    /// What serves whom a lock refused. Only `Refusal` uses it.
    private static func services(_ text: String) -> [String] {
        let code = text.replacing(/\/\/.*/, with: "")
        let service = /\b(DeferredFrees\.add|Emergency(?:Region|Mappings)?\.allocate|deferredSpans\.add)\(/
        return code.matches(of: service.wordBoundaryKind(.simple)).map { String($0.output.1) }
    }

    /// No call site decides by itself what the refusal of a lock means.
    @Test func refusalsAreServedInOnePlace() throws {
        var found: [String: [String]] = [:]
        for folder in Self.folders {
            let files = try FileManager.default.contentsOfDirectory(
                at: Self.core.appending(path: folder), includingPropertiesForKeys: nil)
            for file in files {
                let services = Self.services(try String(contentsOf: file, encoding: .utf8))
                if !services.isEmpty { found[file.lastPathComponent] = services.sorted() }
            }
        }
        let expected = [
            "Refusal.swift": ["DeferredFrees.add", "Emergency.allocate", "deferredSpans.add"],
            // The two kinds of memory that `Emergency.allocate` has.
            "Emergency.swift": ["EmergencyMappings.allocate", "EmergencyRegion.allocate"],
        ]
        #expect(found == expected)
    }

    /// The negative control.
    @Test(arguments: [
        "guard arenaLock.acquire() == .entered else { return DeferredFrees.add(address) }",
        "let block = Emergency.allocate(size, alignment: 16)",
        "emergencyState.pointee.deferredSpans.add(first)",
    ])
    func aServiceElsewhereIsFound(line: String) {
        #expect(Self.services("// DeferredFrees.add(block) in a comment\n\(line)\nRefusal.free(block)").count == 1)
    }

    /// The variables of the process that a source file has: what all heaps of the process share.
    private static func globals(_ text: String) -> [String] {
        let code = text.replacing(/\/\/.*/, with: "")
        let unsafe = /nonisolated\(unsafe\)(?: \w+(?:\(set\))?)* (?:var|let) (\w+)/
        let stored = /static (?:var|let) (\w+)(?:: [^={\n]+)? =\s/
        let atomic = /(?m)^(?:private |fileprivate )?let (\w+)(?:: [^=\n]+)? = Atomic/
        return code.matches(of: unsafe).map { String($0.output.1) }
            + code.matches(of: stored).map { String($0.output.1) }
            + code.matches(of: atomic).map { String($0.output.1) }
    }

    /// A heap's state lies in one structure. What is no heap's says so beside it.
    @Test func whatIsOfTheProcessIsNamedHere() throws {
        var found: [String] = []
        for folder in Self.folders {
            let files = try FileManager.default.contentsOfDirectory(
                at: Self.core.appending(path: folder), includingPropertiesForKeys: nil)
            for file in files { found += Self.globals(try String(contentsOf: file, encoding: .utf8)) }
        }
        #expect(found == ["publicGates"])
    }

    /// The negative control.
    @Test(arguments: [
        "nonisolated(unsafe) private(set) static var bits: Int", "nonisolated(unsafe) var records = RecordTable()",
        "    static let count = Atomic<Int>(0)", "private let areUsed = Atomic<Bool>(false)",
        "    private static var memory: Reservation = Reservation()",
    ])
    func aGlobalIsFound(declaration: String) {
        #expect(Self.globals("/// static var no = 1\n\(declaration)\n    static var six: Int { 6 }").count >= 1)
        #expect(
            Self.globals("/// static var no = 1\n    static var six: Int { 6 }\n    let own = Atomic<Int>(0)").isEmpty)
    }

    /// The negative control.
    @Test func aFileThatClimbsIsFound() throws {
        let declared = Self.declared(try Self.sources())
        let text = """
            /// CentralList in a comment, and "FrontEnd" in a string, are no use.
            func steal() -> Int { FrontEnd.indexCount &+ arena.limit }
            """
        #expect(Self.climbs(Source(text), in: "Arena", declared) == ["FrontEnd"])
        #expect(Self.climbs(Source(text), in: "Platform", declared) == ["FrontEnd", "arena"])
        #expect(Self.climbs(Source(text), in: "Heap", declared).isEmpty)
    }
}
