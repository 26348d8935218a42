import Foundation
import TestSupport
import Testing

/// Profiles of programs as Debian has them: a stack names the functions that a reader of the source
/// would name.
@Suite(.serialized) struct RealProfileTests {
    private typealias Stack = (names: [Substring], bytes: Double)

    /// The stacks of a folded profile, those with most bytes first.
    private static func stacks(_ folded: String) -> [Stack] {
        let stacks = folded.split(separator: "\n").compactMap { line -> Stack? in
            guard let space = line.lastIndex(of: " "),
                let bytes = Double(line[space...].dropFirst())
            else { return nil }
            return (line[..<space].split(separator: ";"), bytes)
        }
        return stacks.sorted { $0.bytes > $1.bytes }
    }

    /// The functions of the stack with most bytes, the outermost first.
    private static func largest(_ process: pid_t, _ options: [String]) async throws -> [Substring] {
        let outcome = try await CommandRun.command(
            ["profile", String(process), "--format", "folded"] + options)
        #expect(outcome.succeeded, "\(outcome)")
        return try #require(stacks(outcome.output).first, "\(outcome)").names
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
        let stack = try await Self.largest(program.processID, ["--seconds", "2", "--rate", "16K"])
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
        let stack = try await Self.largest(program.processID, ["--seconds", "2", "--rate", "64K"])
        #expect(Self.has(stack, ["main", "aeMain", "readQueryFromClient"]), "\(stack)")
        kill(program.processID, SIGTERM)
        _ = program.end()
        _ = try await load
    }

    /// The compiler proper, which g++ starts by itself: most of what it has in the end was
    /// allocated by its parser and for functions that it compiles.
    @Test func gccParsesAndCompilesFunctions() async throws {
        let folder = try TemporaryFolder()
        let profile = folder.path("folded")
        let wrapper = [
            Checkout.command, "profile", "--rate", "64K", "--format", "folded", "--output", profile,
            "--",
        ]
        let source = Checkout.programs.appending(path: "Real/Templates.cpp").path
        let outcome = try await run(
            "g++",
            [
                "-std=c++17", "-S", "-o", "/dev/null", "-wrapper", wrapper.joined(separator: ","),
                source,
            ], under: .glibc)
        #expect(outcome.succeeded, "\(outcome)")
        let stacks = Self.stacks(try String(contentsOfFile: profile, encoding: .utf8))
        func bytes(_ names: [Substring]) -> Double {
            stacks.filter { Self.has($0.names, names) }.reduce(0) { $0 + $1.bytes }
        }
        let top: [Substring] = ["main", "toplev::main(int, char**)"]
        let all = bytes(top)
        let parsed = bytes(top + ["c_parse_file()"])
        let compiled = bytes(top + ["symbol_table::finalize_compilation_unit()"])
        #expect(parsed > all / 10 && compiled > all / 10, "\(stacks.prefix(5))")
        #expect(parsed + compiled > all / 2, "\(stacks.prefix(5))")
    }

    @Test func postgresKeepsTheRowsOfAFunction() async throws {
        let folder = try TemporaryFolder()
        let data = folder.path("data")
        let all = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql").map {
            "/usr/lib/postgresql/\($0)/bin"
        }
        let programs = try #require(
            all.max { $0.localizedStandardCompare($1) == .orderedAscending })
        // PostgreSQL does not run as root, and its owner may not read a checkout of root's.
        let library = folder.path("library.so")
        try FileManager.default.copyItem(atPath: Checkout.library, toPath: library)
        var asOwner = ["/usr/bin/env"]
        if geteuid() == 0 {
            let owner = try await run("chown", ["postgres", folder.url.path], under: .glibc)
            #expect(owner.succeeded, "\(owner)")
            asOwner = ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        }
        let initdb = [
            "\(programs)/initdb", "-D", data, "-U", "owner", "-A", "trust", "--no-sync",
        ]
        let made = try await run(asOwner[0], asOwner.dropFirst() + initdb, under: .glibc)
        #expect(made.succeeded, "\(made)")
        let postgres = [
            "\(programs)/postgres", "-D", data, "-k", folder.url.path, "-c", "listen_addresses=",
            "-c", "fsync=off", "-c", "log_min_messages=panic",
        ]
        let server = try BackgroundProgram(
            asOwner[0], asOwner.dropFirst() + postgres, library: library)
        let place = ["-h", folder.url.path, "-U", "owner"]
        var tries = 0
        while !(try await run("\(programs)/pg_isready", place, under: .glibc)).succeeded {
            tries += 1
            try #require(tries < 600)
            try await Task.sleep(for: .milliseconds(100))
        }
        let client = try BackgroundProgram("/usr/bin/env", ["psql", "-XAtq"] + place + ["postgres"])
        try client.tell("select pg_backend_pid();")
        let backend = try #require(client.line().flatMap { pid_t($0) })
        async let largest = Self.largest(backend, ["--total", "--seconds", "2", "--rate", "64K"])
        try await Task.sleep(for: .milliseconds(500))
        try client.tell("set work_mem = '200MB'; select count(*) from generate_series(1, 2000000);")
        #expect(client.line() == "2000000")
        let stack = try await largest
        let names: [Substring] = [
            "main", "PostmasterMain", "PostgresMain", "PortalRun", "standard_ExecutorRun",
            "ExecMakeTableFunctionResult", "tuplestore_putvalues",
        ]
        #expect(Self.has(stack, names), "\(stack)")
        // The fast way to stop: it ends its clients.
        kill(server.processID, SIGINT)
        #expect(server.end() == 0)
    }

    /// Names are those of the source, not the linker's.
    @Test func aServerInSwiftKeepsPages() async throws {
        let program = try await Compiler.shared.executable("Command/page_server.swift")
        let server = try BackgroundProgram(program, library: Checkout.library)
        #expect(server.line() == "ready")
        async let stack = Self.largest(server.processID, ["--seconds", "2", "--rate", "16K"])
        let end = ContinuousClock.now + .seconds(3)
        var number = 0
        while ContinuousClock.now < end, number < 20000 {
            try server.tell(String(number))
            #expect(server.line() != nil)
            number += 1
        }
        let names = try await stack
        let wanted = [
            "PageServer.answer(", "PageCache.page(Swift.Int)", "Page.init(number: Swift.Int)",
        ]
        var left = wanted[...]
        for name in names where left.first.map(name.contains) ?? false { left = left.dropFirst() }
        #expect(left.isEmpty, "\(names)")
    }
}
