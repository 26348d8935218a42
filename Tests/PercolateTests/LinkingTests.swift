import Foundation
import TestSupport
import Testing

/// A package of a new user, in a folder of its own, that depends on a tagged clone of this checkout, as committed.
private actor Consumer {
    static let debug = Consumer("debug")
    static let release = Consumer("release")

    private let configuration: String
    private var build: Task<URL, any Error>?

    init(_ configuration: String) { self.configuration = configuration }

    /// The folder of the built executables.
    func products() async throws -> URL {
        if let build { return try await build.value }
        let configuration = configuration
        let task = Task {
            let folder = RunFolder.url.appending(path: "consumer-\(configuration)")
            let manager = FileManager.default
            try manager.createDirectory(at: folder, withIntermediateDirectories: true)
            try await TaggedClone.make(in: folder)
            let package = folder.appending(path: "consumer")
            try manager.copyItem(at: Checkout.programs.appending(path: "Consumer"), to: package)
            try await require("swift", "build", "-c", configuration, "--package-path", package.path)
            return package.appending(path: ".build/\(configuration)")
        }
        build = task
        return try await task.value
    }
}

/// Adding the product `percolate_malloc` makes Percolate the program's malloc; without it the API finds a preloaded one.
@Suite(.serialized) struct LinkingTests {
    private func consumer(_ configuration: String) async throws -> URL {
        try await (configuration == "debug" ? Consumer.debug : .release).products()
    }

    @Test(arguments: ["debug", "release"])
    func theLinkedProductServesEveryObjectArrayAndString(configuration: String) async throws {
        let program = try await consumer(configuration).appending(path: "linked").path
        let outcome = try await run(program, under: .glibc)
        try #require(outcome.succeeded, "\(outcome)")
        #expect(
            outcome.output == """
                isSharedObject true
                servesMalloc true
                objects true
                array true
                string true
                allocations 1000 deallocations 1000 leaked 0
                tasks true
                mode sections

                """)
    }

    @Test(arguments: ["debug", "release"])
    func mallocResolvesToTheLinkedProduct(configuration: String) async throws {
        let program = try await consumer(configuration).appending(path: "linked").path
        let outcome = try await run(program, under: .glibc, environment: ["LD_DEBUG": "bindings"])
        let bindings = outcome.errors.split(separator: "\n").filter { $0.contains("symbol `malloc'") }
        #expect(bindings.contains { $0.contains("libswiftCore.so") })
        #expect(bindings.filter { !$0.contains("to ") || !$0.contains("libpercolate_malloc.so") } == [])
    }

    @Test(arguments: ["debug", "release"])
    func ownersAndPerCPUDataNeedNoUnsafe(configuration: String) async throws {
        let program = try await consumer(configuration).appending(path: "owners").path
        let outcome = try await run(program, under: .glibc)
        #expect(outcome.succeeded, "\(outcome)")
        #expect(
            outcome.output == """
                value 2
                buffer 5049
                stack 3
                pool 4
                counter 800 largest 7
                counted true
                statistics true

                """)
    }

    @Test func addingToACounterIsInlinedIntoTheConsumer() async throws {
        let program = try await consumer("release").appending(path: "plain").path
        let outcome = try await run("objdump", ["-d", "--no-show-raw-insn", program], under: .glibc)
        let functions = outcome.output.components(separatedBy: "\n\n")
        let body = try #require(functions.first { $0.contains(/^[0-9a-f]+ <[^>]*countOne[^>]*>:/) })
        #expect(body.contains("%fs:"), "the sequence is not in the caller: \(body)")
        // Jumps and calls to Percolate's functions, of which only the slow path is one.
        let calls = body.split(separator: "\n").filter { line in
            line.contains(/\s(call|jmp)\s.*Percolate/) && !line.contains("countOne") && !line.contains("addByVector")
        }
        #expect(calls == [], "\(body)")
    }

    @Test(arguments: ["debug", "release"])
    func theSameProgramSpeaksToItsOwnCoreOrToThePreloadedOne(configuration: String) async throws {
        let program = try await consumer(configuration).appending(path: "plain").path
        let alone = try await run(program, under: .glibc)
        #expect(alone.succeeded, "\(alone)")
        #expect(alone.output.hasPrefix("isSharedObject false\nservesMalloc false\ncounted true\ncounter 1000\n"))
        let preloaded = try await run(program, under: .percolate())
        #expect(preloaded.succeeded, "\(preloaded)")
        #expect(preloaded.output.hasPrefix("isSharedObject true\nservesMalloc true\ncounted true\ncounter 1000\n"))
    }
}
