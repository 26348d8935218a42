import Foundation
import TestSupport
import Testing

/// The documentation, as DocC reads it: the symbol graph of the release build, and the catalogue.
@Suite(.serialized) struct DocumentationTests {
    private struct SymbolGraph: Decodable {
        struct Symbol: Decodable {
            struct Kind: Decodable { var identifier: String }
            struct Comment: Decodable {
                struct Line: Decodable { var text: String }
                var lines: [Line]
            }
            var kind: Kind
            var pathComponents: [String]
            var docComment: Comment?
        }
        var symbols: [Symbol]
    }

    /// Calls `body` with a folder that has the symbol graph, and may take more.
    private func withSymbolGraph(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "percolate-documentation-\(UUID().uuidString)")
        let graphs = folder.appending(path: "graphs")
        try FileManager.default.createDirectory(at: graphs, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await require(
            "swift-symbolgraph-extract", "-module-name", "Percolate", "-I",
            Checkout.products.appending(path: "Modules").path,
            "-I", Headers.folder, "-target",
            "x86_64-unknown-linux-gnu",
            "-minimum-access-level", "public", "-skip-synthesized-members", "-output-dir", graphs.path)
        try await body(folder)
    }

    @Test func everyPublicSymbolIsDocumented() async throws {
        try await withSymbolGraph { folder in
            let file = folder.appending(path: "graphs/Percolate.symbols.json")
            let symbols = try JSONDecoder().decode(SymbolGraph.self, from: Data(contentsOf: file)).symbols
            #expect(symbols.count > 150)
            let undocumented = symbols.filter { symbol in
                symbol.docComment?.lines.allSatisfy { $0.text.allSatisfy(\.isWhitespace) } ?? true
            }
            #expect(undocumented.map { $0.pathComponents.joined(separator: ".") } == [])
        }
    }

    @Test func theCatalogueHasNoWarningsAndNoUnresolvedLinks() async throws {
        try await withSymbolGraph { folder in
            let output = folder.appending(path: "archive")
            try await require(
                "docc", "convert", Checkout.root.appending(path: "Sources/Percolate/Percolate.docc").path,
                "--additional-symbol-graph-dir", folder.appending(path: "graphs").path, "--output-dir", output.path,
                "--fallback-display-name", "Percolate", "--fallback-bundle-identifier", "percolate",
                "--warnings-as-errors")
            let pages = output.appending(path: "data/documentation/percolate")
            for page in [
                "gettingstarted", "replacingjemalloc", "percpudata", "howthegateworks", "limits", "processheap",
            ] {
                #expect(FileManager.default.fileExists(atPath: pages.appending(path: page + ".json").path), "\(page)")
            }
        }
    }
}
