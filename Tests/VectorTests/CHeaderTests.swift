import Foundation
import TestSupport
import Testing

/// The headers and the examples as a program's author has them: from a folder that is laid out as
/// the installed one, alone.
@Suite struct CHeaderTests {
    static let compilers = [
        "gcc -std=c11", "clang -std=c11", "g++ -std=c++20 -x c++", "clang++ -std=c++20 -x c++",
    ]
    /// An example's line may end with `-x none`, which clang complains about where no library
    /// follows.
    static let warnings = "-Wall -Wextra -pedantic -Werror -Wno-unused-command-line-argument"
    static let examples = ["counters", "buffers", "log", "settings", "vector", "heap"]

    private static let packaging = Checkout.root.appending(path: "LD_PRELOAD/Packaging")

    /// What `LD_PRELOAD/Packaging/install` makes of headers, library and pkg-config's file.
    private static let prefix = Result {
        let prefix = RunFolder.url.appending(path: "installed")
        let files = FileManager.default
        let headers = prefix.appending(path: "include/percolate")
        try files.createDirectory(
            at: headers.deletingLastPathComponent(), withIntermediateDirectories: true)
        let configuration = prefix.appending(path: "lib/pkgconfig")
        try files.createDirectory(at: configuration, withIntermediateDirectories: true)
        try files.copyItem(
            at: URL(filePath: Headers.folder).appending(path: "percolate"), to: headers)
        try files.createSymbolicLink(
            at: prefix.appending(path: "lib/libpercolate_malloc.so"),
            withDestinationURL: URL(filePath: Checkout.library))
        let text = try String(
            contentsOf: packaging.appending(path: "percolate.pc"), encoding: .utf8
        )
        .replacing("@PREFIX@", with: prefix.path).replacing("@LIBDIR@", with: "lib")
        .replacing("@VERSION@", with: "0")
        try text.write(
            to: configuration.appending(path: "percolate.pc"), atomically: true, encoding: .utf8)
        return prefix
    }

    private func shell(_ script: String) async throws -> Outcome {
        let prefix = try Self.prefix.get()
        return try await run(
            "sh", ["-c", script], under: .glibc,
            environment: [
                "PKG_CONFIG_PATH": prefix.appending(path: "lib/pkgconfig").path,
                "LD_LIBRARY_PATH": prefix.appending(path: "lib").path,
            ], directory: prefix)
    }

    @Test(arguments: compilers)
    func everyHeaderCompilesAlone(compiler: String) async throws {
        let headers = try FileManager.default.contentsOfDirectory(
            atPath: try Self.prefix.get().appending(path: "include/percolate").path)
        try #require(headers.contains("percpu.h") && headers.contains("heap.h"))
        // Included by another header only, which they say.
        let parts = ["rseq_ops_x86_64.h", "rseq_ops_aarch64.h"]
        for header in headers.sorted() where !parts.contains(header) {
            let outcome = try await shell(
                """
                printf '#include <percolate/\(header)>\\nint main(void) { return 0; }\\n' |
                \(compiler)\(compiler.contains("-x") ? "" : " -x c") \(Self.warnings) -Iinclude -fsyntax-only -
                """)
            #expect(outcome.succeeded, "\(compiler) \(header): \(outcome.errors)")
        }
    }

    /// The line is the one that the example has in its head, with the compiler and its warnings.
    @Test(arguments: examples, compilers)
    func everyExampleCompilesByItsLineAndIsRight(example: String, compiler: String) async throws {
        let file = Self.packaging.appending(path: "examples/\(example).c")
        let text = try String(contentsOf: file, encoding: .utf8)
        let line = try #require(text.firstMatch(of: /(?m)^\/\/ +cc (.+) -o (\S+)$/))
        let number = try #require(Self.compilers.firstIndex(of: compiler))
        let program = "\(example)-\(number)"
        let source = String(line.1).replacing("\(example).c", with: "\(file.path) -x none")
        let built = try await shell("\(compiler) -O2 \(Self.warnings) \(source) -o \(program)")
        try #require(built.succeeded, "\(built.errors)")
        // Linked where the line links, and preloaded where it does not: that one says less without.
        let alone = try await shell("./\(program)")
        #expect(
            alone.succeeded && alone.errors == "" && alone.output != "",
            "\(alone.output)\(alone.errors)")
        if String(line.1).contains("--libs") { return }
        #expect(alone.output == "the heap is not Percolate's\n")
        let preloaded = try await shell("LD_PRELOAD=lib/libpercolate_malloc.so ./\(program)")
        #expect(
            preloaded.succeeded && preloaded.output.contains("blocks of"),
            "\(preloaded.output)\(preloaded.errors)")
    }

    @Test func everyExampleIsTried() throws {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: Self.packaging.appending(path: "examples").path)
        #expect(Set(files.filter { $0.hasSuffix(".c") }) == Set(Self.examples.map { "\($0).c" }))
    }
}
