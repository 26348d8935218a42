import Foundation
import TestSupport
import Testing

/// What a package fetches that depends on this one with some of its traits, and that the trait's
/// library then works. Each builds everything anew, so this belongs to the long matrix.
@Suite(
    .serialized, .enabled(if: ProcessInfo.processInfo.environment["PERCOLATE_LONG"] == "1")
)
struct TraitTests {
    /// A package outside the repository with one program, which is linked with one library.
    struct Example: CustomTestStringConvertible {
        var trait: String
        var library: String
        /// Names of packages besides this one.
        var fetched: Set<String>
        /// Dependencies of the program of its own.
        var dependencies = ""
        var products = ""
        var program: String
        /// What it prints, among other things.
        var output: String
        var testDescription: String { trait.isEmpty ? "no trait" : trait }
    }

    static let examples = [
        Example(
            trait: "", library: "Percolate", fetched: [],
            program: "print(try HeapValue(70).value)", output: "70\n"),
        Example(
            trait: "Metrics", library: "PercolateMetrics", fetched: ["swift-metrics"],
            program: "HeapMetrics().update(); print(\"updated\")", output: "updated\n"),
        Example(
            trait: "Logging", library: "PercolateLogging", fetched: ["swift-log"],
            dependencies: #".package(url: "https://github.com/apple/swift-log", from: "1.6.0")"#,
            products: #".product(name: "Logging", package: "swift-log")"#,
            program: """
                import Logging
                let value = try HeapBuffer(repeating: 1, count: 1 << 20)
                let logger = Logger(label: "heap", factory: StreamLogHandler.standardOutput(label:))
                HeapLimitLog(logger, limit: 1 << 20).check()
                print(value.count)
                """, output: "the heap has reached its limit"),
        Example(
            trait: "ServiceLifecycle", library: "PercolateService",
            fetched: [
                "swift-service-lifecycle", "swift-log", "swift-async-algorithms",
                "swift-collections",
            ],
            program: """
                let service = HeapService(
                    interval: .milliseconds(1), observers: [{ _ in print("looked") }])
                let task = Task { try await service.run() }
                try await Task.sleep(for: .milliseconds(20))
                task.cancel()
                try await task.value
                """, output: "looked\n"),
    ]

    @Test(arguments: examples)
    func aTraitFetchesItsPackagesAlone(example: Example) async throws {
        let folder = try TemporaryFolder()
        try await CommittedClone.make(in: folder.url)
        let sources = folder.path("hello/Sources/hello")
        try FileManager.default.createDirectory(atPath: sources, withIntermediateDirectories: true)
        let trait = example.trait.isEmpty ? "" : "\"\(example.trait)\""
        let libraries = Set(["Percolate", example.library]).map {
            ".product(name: \"\($0)\", package: \"percolate\"),"
        }
        try """
        // swift-tools-version: 6.2
        import PackageDescription
        let package = Package(
            name: "hello",
            dependencies: [
                .package(url: "../percolate", branch: "main", traits: [\(trait)]), \(example.dependencies)
            ],
            targets: [
                .executableTarget(
                    name: "hello",
                    dependencies: [
                        \(libraries.joined()) \(example.products)
                    ])
            ])
        """.write(toFile: folder.path("hello/Package.swift"), atomically: true, encoding: .utf8)
        try "import Percolate\nimport \(example.library)\n\(example.program)\n".write(
            toFile: sources + "/main.swift", atomically: true, encoding: .utf8)
        let outcome = try await run(
            "swift", ["run", "-c", "release", "--package-path", folder.path("hello")],
            under: .glibc, timeout: .seconds(1200))
        #expect(outcome.succeeded, "\(outcome)")
        #expect(outcome.output.contains(example.output), "\(outcome)")
        let checkouts = folder.path("hello/.build/checkouts")
        let fetched = try Set(FileManager.default.contentsOfDirectory(atPath: checkouts))
        #expect(fetched == example.fetched.union(["percolate"]))
    }

    /// With the library alone: the shared object cannot be linked so.
    @Test func aProgramWithoutSharedObjectsHasTheHeapInIt() async throws {
        let package = try await Consumer.release.products().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = package.appending(path: ".build-static")
        try await require(
            "swift", "build", "-c", "release", "--product", "plain", "--package-path", package.path,
            "--scratch-path", folder.path, "--static-swift-stdlib", "-Xswiftc",
            "-static-executable")
        let program = folder.appending(path: "release/plain").path
        let file = try await run("readelf", ["--program-headers", program], under: .glibc)
        #expect(file.succeeded && !file.output.contains("INTERP"), "\(file)")
        let outcome = try await run(program, under: .glibc)
        #expect(outcome.succeeded, "\(outcome)")
        #expect(
            outcome.output.hasPrefix(
                "isSharedObject false\nservesMalloc false\ncounted true\ncounter 1000\n"))
    }
}
