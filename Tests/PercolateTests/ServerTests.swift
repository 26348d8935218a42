import Foundation
import FoundationNetworking
import TestSupport
import Testing

/// The Hummingbird server of `Benchmarks/Server`, built outside the repository, under load. Its
/// packages take minutes to build, so this belongs to the long matrix.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["PERCOLATE_LONG"] == "1"))
struct ServerTests {
    private static let built = Task {
        let folder = RunFolder.url.appending(path: "server")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let package = try await CommittedClone.extract("Benchmarks/Server", to: folder)
        let outcome = try await run(
            "swift", ["build", "-c", "release", "--package-path", package.path], under: .glibc,
            environment: ["EXAMPLES_ALLOCATOR": nil], timeout: .seconds(3000))
        try #require(
            outcome.succeeded, "\(outcome.output.suffix(4000)) \(outcome.errors.suffix(4000))")
        return package.appending(path: ".build/release/server").path
    }

    /// A server that runs, and what it answers.
    private struct Server {
        let program: BackgroundProgram
        private let port: Int

        init(_ arguments: [String]) async throws {
            program = try BackgroundProgram(try await ServerTests.built.value, ["0"] + arguments)
            let line = try #require(program.line())
            port = try #require(line.wholeMatch(of: /port (\d+)/).flatMap { Int($0.1) }, "\(line)")
        }

        func get(_ path: String) async throws -> String {
            let url = try #require(URL(string: "http://127.0.0.1:\(port)/\(path)"))
            let (data, response) = try await URLSession.shared.data(from: url)
            try #require((response as? HTTPURLResponse)?.statusCode == 200, "\(path)")
            return String(decoding: data, as: UTF8.self)
        }

        /// A number of the metrics.
        func metric(_ name: String) async throws -> Int {
            let line = try await get("metrics").split(separator: "\n").first {
                $0.hasPrefix(name + " ")
            }
            return try #require(line.flatMap { Int($0.dropFirst(name.count + 1)) }, "\(name)")
        }

        /// Asks for each of `count` pages once, from several connections at once.
        func load(_ count: Int) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<8 {
                    group.addTask {
                        for number in stride(from: client, to: count, by: 8) {
                            let page = try await get("page/\(number)")
                            try #require(page.hasPrefix("<html><body><h1>Page \(number)</h1>"))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        func end() -> Int32 {
            kill(program.processID, SIGTERM)
            return program.end()
        }
    }

    @Test func requestsAreCountedAndTheHeapIsShown() async throws {
        let server = try await Server([])
        try await server.load(3000)
        #expect(try await server.metric("server_requests_total") == 3000)
        #expect(try await server.metric("percolate_application_bytes") > 10 << 20)
        #expect(try await server.metric("percolate_served_blocks_total") > 1000)
        let heap = try await server.get("heap")
        #expect(heap.contains(#/[1-9]\d+ bytes in [1-9]\d* blocks\n/#), "\(heap.prefix(2000))")
        #expect(heap.contains("/server+0x"), "\(heap.prefix(2000))")
        #expect(server.end() == 0)
    }

    @Test func aboveTheSoftLimitTheCacheIsEmptied() async throws {
        let server = try await Server(["24"])
        try await server.load(4000)
        // A look of the service comes every 100 ms.
        try await Task.sleep(for: .seconds(1))
        let pages = try await server.metric("server_pages")
        #expect(pages < 2500, "\(pages) pages are left")
        #expect(try await server.metric("percolate_in_use_bytes") < 24 << 20)
        #expect(server.end() == 0)
    }
}
