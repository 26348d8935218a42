import Foundation
import FoundationXML
import TestSupport
import Testing

/// Reads a whole document and remembers its root.
private final class DocumentReader: NSObject, XMLParserDelegate {
    var root: String?

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        if root == nil { root = name }
    }
}

@Suite(.serialized)
struct InterfaceInspectTests {
    private let program = InterfaceProgram(source: "inspect.c", flags: ["-Wno-deprecated-declarations"])

    @Test(arguments: InterfaceMode.allCases)
    func mallocTrimGivesFreePagesBack(in mode: InterfaceMode) async throws {
        try await program.keeps("trim_gives_back", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func mallinfo2CountsWhatIsInUse(in mode: InterfaceMode) async throws {
        try await program.keeps("mallinfo2_counts", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func mallinfo2IsExactToTheByteWhenQuiet(in mode: InterfaceMode) async throws {
        try await program.keeps("mallinfo2_is_exact", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func mallinfoCountsWhatIsInUse(in mode: InterfaceMode) async throws {
        try await program.keeps("mallinfo_counts", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func malloptAcceptsWhatGlibcAccepts(in mode: InterfaceMode) async throws {
        try await program.keeps("mallopt_accepts", in: mode)
    }

    @Test(arguments: InterfaceMode.allCases)
    func mallocStatsPrintsOnStandardError(in mode: InterfaceMode) async throws {
        let outcome = try await run(
            try await program.executable(), ["stats_prints"], under: .percolate(options: mode.options))
        #expect(outcome.succeeded, "\(outcome.report)")
        #expect(outcome.output == "holds: stats_prints\n")
        #expect(outcome.errors.contains(/[0-9]/) && outcome.errors.hasSuffix("\n"))
    }

    @Test(arguments: InterfaceMode.allCases)
    func mallocInfoPrintsAWholeDocument(in mode: InterfaceMode) async throws {
        let outcome = try await run(
            try await program.executable(), ["info_prints"], under: .percolate(options: mode.options))
        #expect(outcome.succeeded, "\(outcome.report)")
        let reader = DocumentReader()
        let parser = XMLParser(data: Data(outcome.output.utf8))
        parser.delegate = reader
        #expect(parser.parse(), "\(outcome.output)")
        #expect(reader.root == "malloc")
    }
}
