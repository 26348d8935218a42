import Foundation
import TestSupport
import Testing

/// Profiles of programs as Debian has them: a stack names the functions that a reader of the source
/// would name.
@Suite(.serialized) struct RealProfileTests {
    /// The functions of the stack with most bytes, the outermost first.
    private static func largest(_ program: BackgroundProgram, _ options: [String]) async throws
        -> [Substring]
    {
        let outcome = try await CommandRun.command(
            ["profile", String(program.processID), "--format", "folded"] + options)
        #expect(outcome.succeeded, "\(outcome)")
        let stacks = outcome.output.split(separator: "\n").compactMap {
            line -> (names: Substring, bytes: Double)? in
            guard let space = line.lastIndex(of: " "), let bytes = Double(line[space...].dropFirst())
            else { return nil }
            return (line[..<space], bytes)
        }
        let largest = try #require(stacks.max { $0.bytes < $1.bytes }, "\(outcome)")
        return largest.names.split(separator: ";")
    }

    /// Whether the names are in the stack, in this order.
    private static func has(_ stack: [Substring], _ names: [Substring]) -> Bool {
        var left = names[...]
        for function in stack where function == left.first { left = left.dropFirst() }
        return left.isEmpty
    }

    @Test func listsOfPythonGrowInAppend() async throws {
        let script = """
            import json, time
            print('ready', flush=True)
            kept, text = [], json.dumps(list(range(300)))
            while len(kept) < 100000: kept.append(json.loads(text)); time.sleep(0.002)
            """
        let program = try BackgroundProgram(
            "/usr/bin/env", ["PYTHONMALLOC=malloc", "/usr/bin/python3", "-c", script],
            library: Checkout.library)
        #expect(program.line() == "ready")
        let stack = try await Self.largest(program, ["--seconds", "2", "--rate", "16K"])
        #expect(Self.has(stack, ["Py_BytesMain", "PyList_Append"]), "\(stack)")
    }

    @Test func redisReadsWhatClientsSend() async throws {
        let folder = try TemporaryFolder()
        let socket = folder.path("socket")
        let program = try BackgroundProgram(
            "/usr/bin/redis-server",
            ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder.url.path],
            library: Checkout.library)
        while let line = program.line(), !line.contains("ready to accept connections") {}
        async let load = run(
            "redis-benchmark",
            ["-s", socket, "-q", "-n", "2000000", "-r", "1000000", "-d", "400", "-t", "set"],
            under: .glibc)
        let stack = try await Self.largest(program, ["--seconds", "2", "--rate", "64K"])
        #expect(Self.has(stack, ["main", "aeMain", "readQueryFromClient"]), "\(stack)")
        kill(program.processID, SIGTERM)
        _ = program.end()
        _ = try await load
    }
}
