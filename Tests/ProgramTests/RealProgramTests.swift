import TestSupport
import Testing

/// Each runs alone: most of them use both CPUs of a small machine, and some of CPython's tests are
/// about time.
@Suite("Real programs give the same result and are served", .serialized)
struct RealProgramTests {
    @Test func pythonPassesItsOwnRegressionTests() async throws {
        try await RealProgram(script: "python", served: ["python3": 40]).givesTheSameResult()
    }

    @Test func pythonPassesItsOwnRegressionTestsWithEveryObjectFromMalloc() async throws {
        try await RealProgram(
            script: "python", environment: ["PYTHONMALLOC": "malloc"], served: ["python3": 40]
        ).givesTheSameResult()
    }

    @Test func redisKeepsEveryKeyThroughASaveAndARestart() async throws {
        try await RealProgram(
            script: "redis", served: ["redis-server": 2, "redis-benchmark": 1, "redis-cli": 10]
        ).givesTheSameResult()
    }

    @Test func postgresBalancesItsBooks() async throws {
        // The cluster's bootstrap, the postmaster, and a backend for each client.
        try await RealProgram(
            script: "postgres", served: ["initdb": 1, "postgres": 16, "pgbench": 3, "psql": 1, "pg_ctl": 1]
        ).givesTheSameResult()
    }

    @Test func gitKeepsEveryObjectThroughGarbageCollection() async throws {
        try await RealProgram(script: "git", served: ["git": 200]).givesTheSameResult()
    }

    @Test func gccCompilesTheSameBytes() async throws {
        try await RealProgram(
            script: "compile", arguments: ["g++"], served: ["g++": 3, "cc1plus": 2, "as": 2, "templates": 1]
        ).givesTheSameResult()
    }

    @Test func clangCompilesTheSameBytes() async throws {
        try await RealProgram(
            script: "compile", arguments: ["clang"], served: ["clang": 3, "templates": 1]
        ).givesTheSameResult()
    }

    @Test func sqliteKeepsEveryRow() async throws {
        try await RealProgram(script: "sqlite", served: ["sqlite3": 2]).givesTheSameResult()
    }

    @Test func perlCountsTheSameWords() async throws {
        try await RealProgram(script: "perl", served: ["perl": 2]).givesTheSameResult()
    }

    @Test func nodeComputesTheSameInEveryThread() async throws {
        try await RealProgram(script: "node", served: ["node": 1]).givesTheSameResult()
    }

    @Test func javaCompilesAndRunsThreads() async throws {
        try await RealProgram(script: "java", served: ["javac": 1, "java": 1]).givesTheSameResult()
    }

    /// Both have a handler of SIGSEGV, and faults that are none, by which they find null pointers.
    @Test func virtualMachinesKeepTheirFaultsWhereBlocksAreGuarded() async throws {
        let options = "guard=64K,sample=64K"
        try await RealProgram(script: "node", ownOptions: options, served: ["node": 1]).givesTheSameResult()
        try await RealProgram(script: "java", ownOptions: options, served: ["javac": 1, "java": 1]).givesTheSameResult()
    }

    /// Programs that need care from a strict allocator: `strict.sh` says why each does.
    @Test(arguments: ["hardened=1", "hardened=basic"])
    func programsThatUseAllOfTheirBlocksRunHardened(options: String) async throws {
        try await RealProgram(
            script: "strict", ownOptions: options,
            served: [
                "systemd-analyze": 3, "systemd-tmpfiles": 1, "ruby": 1, "php": 1, "sqlite3": 1, "vim": 1, "zsh": 1,
                "gawk": 1, "mawk": 1, "lua5.4": 1, "tclsh": 1, "jq": 1, "bc": 1,
            ]
        ).givesTheSameResult()
    }

    @Test func swiftCompilesAndRunsTasksAndActors() async throws {
        try await RealProgram(
            script: "swift", served: ["swiftc": 1, "swift-frontend": 1, "actors": 1]
        ).givesTheSameResult()
    }

    // What follows links libjemalloc, and runs on it where it does not run on Percolate.

    @Test func redisReportsPercolatesFiguresAsItsOwn() async throws {
        try await RealProgram(
            script: "redis_figures", environment: ["PERCOLATE_COMMAND": Checkout.command], served: ["redis-server": 1]
        ).givesTheSameResult()
    }

    @Test func namedAnswersAHundredThousandQueries() async throws {
        try await RealProgram(script: "named", served: ["named": 1]).givesTheSameResult()
    }

    @Test func varnishGivesTheSamePages() async throws {
        try await RealProgram(script: "varnish", served: ["varnishd": 2]).givesTheSameResult()
    }

    @Test func nghttpxServesEveryRequest() async throws {
        try await RealProgram(script: "nghttpx", served: ["nghttpx": 1]).givesTheSameResult()
    }
}
