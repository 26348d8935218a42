import Foundation
import TestSupport
import Testing

/// Adding the product `percolate_malloc` makes Percolate the program's malloc; without it the API
/// finds a preloaded one.
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

    /// The errors that the heap itself finds, and those of properties, which have no way to know
    /// their caller.
    private static let withoutCallersLine: Set = ["size", "path"]

    /// In release builds too, a caller's error ends the process with a line that says what it was,
    /// and where.
    @Test(
        arguments: ["debug", "release"],
        [
            ("size", "percolate: wrong size"),
            ("old-size", "a block of 112 bytes cannot have been asked for with 5000"),
            ("alignment", "-64 is no alignment"), ("count", "no block holds -1 values of 8 bytes"),
            ("position", "position 3 is outside the buffer of 3"), ("array", "position -1 is outside the buffer of 0"),
            ("initializer", "1 of 3 elements were initialized"), ("limit", "a memory limit cannot be negative"),
            ("capacity", "a per-CPU buffer has 1 to 65,536 places"), ("cpu", "there is no CPU -1"),
            ("element", "elements that cannot be moved as bytes"),
            ("element-size", "an element of a per-CPU buffer has at most 2,048 bytes"),
            ("value", "a per-CPU value has 1 to 2,048 bytes"), ("path", "the path of statistics cannot have a comma"),
        ])
    func aCallersErrorIsSaid(configuration: String, error: (name: String, line: String)) async throws {
        let program = try await consumer(configuration).appending(path: "misuse").path
        let outcome = try await run(program, [error.name], under: .glibc)
        #expect(outcome.signal != nil && outcome.output == "", "\(outcome)")
        #expect(outcome.errors.contains(error.line), "\(outcome.errors)")
        if !Self.withoutCallersLine.contains(error.name) {
            #expect(outcome.errors.contains(#/misuse/main\.swift:\d+: Fatal error:/#), "\(outcome.errors)")
        }
    }

    /// Only debug builds look at it.
    @Test func aWriteBehindABlockOfAnArenaIsSaidWhereTheBlockCameFrom() async throws {
        let program = try await consumer("debug").appending(path: "misuse").path
        let outcome = try await run(program, ["arena"], under: .glibc)
        #expect(outcome.signal != nil && outcome.output == "", "\(outcome)")
        #expect(
            outcome.errors.contains(
                #/misuse/main\.swift:\d+: Fatal error: the bytes behind this block of 10 bytes of an arena were written/#
            ),
            "\(outcome.errors)")
    }

    @Test func aTestHoldsCodeToItsNumberOfAllocations() async throws {
        let package = try await consumer("debug").deletingLastPathComponent().deletingLastPathComponent()
        let outcome = try await run(
            "swift", ["test", "--package-path", package.path], under: .glibc, timeout: .seconds(1500))
        #expect(outcome.succeeded, "\(outcome)")
        #expect((outcome.output + outcome.errors).contains("with 2 tests"), "\(outcome)")
    }

    /// How servers are often shipped, and how their races are looked for.
    @Test(arguments: [
        ("--static-swift-stdlib", "linked", "servesMalloc true"), ("--sanitize=thread", "owners", "stack 3"),
    ])
    func aConsumerMayBeBuilt(option: String, product: String, line: String) async throws {
        let products = try await consumer("debug")
        let package = products.deletingLastPathComponent().deletingLastPathComponent()
        let folder = package.appending(path: ".build\(option)")
        try await require(
            "swift", "build", "--product", product, "--package-path", package.path, "--scratch-path", folder.path,
            option)
        let outcome = try await run(folder.appending(path: "debug/\(product)").path, under: .glibc)
        #expect(outcome.succeeded && outcome.output.contains("\(line)\n"), "\(outcome)")
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
