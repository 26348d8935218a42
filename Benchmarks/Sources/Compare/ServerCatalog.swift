import Foundation

/// Servers, measured while a client that is not preloaded asks them. Sockets are files: nothing listens on a network.
enum ServerCatalog {
    static func all() -> [Workload] { redisMixes + [postgres] }

    private static let redisMixes = [
        redis("redis", "sets, lists and hashes", commands: "set,get,lpush,lpop,sadd,hset,zadd,lrange_100"),
        redis(
            "redis-strings", "values of 1000 bytes set and read", commands: "set,get", requests: 800_000, bytes: 1000),
        redis("redis-lists", "lists of short values pushed and popped", commands: "lpush,rpush,lpop,rpop", bytes: 24),
        redis("redis-sets", "members and scores of many keys", commands: "sadd,zadd,hset,spop", bytes: 64),
        redis(
            "redis-large", "values of 16 KiB", commands: "set,get,lpush,lpop", requests: 60_000, bytes: 16384,
            keys: 2000),
    ]

    private static func redis(
        _ name: String, _ summary: String, commands: String, requests: Int = 200_000, bytes: Int = 200,
        keys: Int = 50_000
    ) -> Workload {
        ProgramCatalog.program(
            name, "\(summary), from redis-benchmark", tools: ["redis-server", "redis-benchmark"]
        ) { workplace in
            let socket = workplace.path("redis.sock")
            return Run(
                command: Command(
                    try workplace.tool("redis-server"),
                    [
                        "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir",
                        workplace.folder.path,
                    ]),
                server: Run.Server(
                    client: Command(
                        try workplace.tool("redis-benchmark"),
                        [
                            "-s", socket, "-q", "-n", workplace.amount(requests), "-c", "20", "-P", "16", "-d",
                            "\(bytes)", "-r", "\(keys)", "-t", commands,
                        ]),
                    socket: socket, stopSignal: SIGTERM))
        }
    }

    private static let postgres = ProgramCatalog.program(
        "postgres", "queries from pgbench", tools: ["pgbench"],
        prepare: { try PostgresCluster.prepare(in: $0) }, run: { try PostgresCluster.run(in: $0) })
}

/// A database of its own in the workplace, on a socket there. The server refuses to run as root.
private enum PostgresCluster {
    private static func folder(_ workplace: Workplace) -> String { workplace.path("pg") }

    private static func tool(_ name: String) throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
            .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
        let candidates = versions.map { "\(root)/\($0)/bin/\(name)" }
        guard
            let path = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) ?? Shell.find(name)
        else { throw InvalidInput("\(name) is not installed") }
        return path
    }

    /// The account that owns the server when the caller is root; else the caller.
    private static func account() throws -> (id: UInt32, group: UInt32)? {
        guard getuid() == 0 else { return nil }
        guard let entry = getpwnam("postgres") else { throw InvalidInput("there is no account postgres") }
        return (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }

    private static func asOwner(_ tool: String, _ arguments: [String], _ workplace: Workplace) throws {
        var command = workplace.surrounded(Command(tool, arguments), preloading: nil)
        command.folder = folder(workplace)
        command.user = try account()
        try Shell.output(command)
    }

    static func prepare(in workplace: Workplace) throws {
        let (initdb, control, client) = (try tool("initdb"), try tool("pg_ctl"), try workplace.tool("pgbench"))
        let folder = folder(workplace)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if let account = try account() {
            try FileManager.default.setAttributes(
                [.ownerAccountID: account.id, .groupOwnerAccountID: account.group], ofItemAtPath: folder)
        }
        try asOwner(initdb, ["-D", "\(folder)/data", "-U", "bench", "-A", "trust", "--no-sync"], workplace)
        let settings = """

            listen_addresses = ''
            unix_socket_directories = '\(folder)'
            fsync = off
            autovacuum = off
            max_parallel_workers_per_gather = 0
            shared_buffers = 64MB

            """
        let configuration = try FileHandle(forWritingTo: URL(filePath: "\(folder)/data/postgresql.conf"))
        try configuration.seekToEnd()
        try configuration.write(contentsOf: Data(settings.utf8))
        try configuration.close()
        try asOwner(control, ["-D", "\(folder)/data", "-w", "-l", "\(folder)/log", "start"], workplace)
        do {
            try Shell.output(client, ["-h", folder, "-U", "bench", "-i", "-q", "-s", "1", "postgres"])
        } catch {
            try? asOwner(control, ["-D", "\(folder)/data", "-m", "immediate", "stop"], workplace)
            throw error
        }
        try asOwner(control, ["-D", "\(folder)/data", "-w", "-m", "fast", "stop"], workplace)
    }

    static func run(in workplace: Workplace) throws -> Run {
        let folder = folder(workplace)
        var server = Command(try tool("postgres"), ["-D", "\(folder)/data"])
        server.user = try account()
        return Run(
            command: server,
            server: Run.Server(
                client: Command(
                    try workplace.tool("pgbench"),
                    [
                        "-h", folder, "-U", "bench", "-n", "-c", "4", "-j", "1", "-t", workplace.amount(500),
                        "--random-seed=1",
                        "-f", workplace.program("accounts.sql"), "postgres",
                    ]),
                socket: "\(folder)/.s.PGSQL.5432", stopSignal: SIGINT))
    }
}
