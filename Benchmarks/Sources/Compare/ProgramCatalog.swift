import Foundation

/// Programs of the distribution, on inputs that are made or shipped here.
enum ProgramCatalog {
    static func all() -> [Workload] {
        [emptyProgram, python, pythonMalloc, sqlite, gcc, clang, gitLog, gitRepack, lua, ghostscript, z3]
            + structures + ServerCatalog.all()
    }

    static func program(
        _ name: String, _ summary: String, tools: [String],
        prepare: @escaping @Sendable (Workplace) throws -> Void = { _ in },
        run: @escaping @Sendable (Workplace) throws -> Run
    ) -> Workload {
        Workload(
            name: name, summary: summary, group: .programs,
            body: .program(Program(tools: tools, prepare: prepare, run: run)))
    }

    private static let emptyProgram = Workload(
        name: "true", summary: "500 starts of a program that does nothing", group: .programs,
        body: .compiled(source: "starts", arguments: []))

    private static func objects(_ workplace: Workplace, _ environment: [String: String]) throws -> Run {
        Run(
            command: Command(
                try workplace.tool("python3"), [workplace.program("objects.py"), workplace.amount(5)],
                environment: environment.merging(["PYTHONHASHSEED": "1", "PYTHONDONTWRITEBYTECODE": "1"]) { own, _ in
                    own
                }))
    }

    private static let python = program("python", "objects, JSON, a cache", tools: ["python3"]) { workplace in
        try objects(workplace, [:])
    }

    private static let pythonMalloc = program(
        "python-malloc", "the same without Python's own allocator", tools: ["python3"]
    ) { workplace in try objects(workplace, ["PYTHONMALLOC": "malloc"]) }

    private static let sqlite = program(
        "sqlite", "tables, indexes, joins in memory", tools: ["sqlite3"],
        prepare: { workplace in
            let amount =
                "CREATE TABLE amount (value INTEGER); INSERT INTO amount VALUES (\(workplace.amount(400_000)));\n"
            let script = try String(contentsOfFile: workplace.program("tables.sql"), encoding: .utf8)
            try (amount + script).write(toFile: workplace.path("tables.sql"), atomically: true, encoding: .utf8)
        },
        run: { workplace in
            Run(command: Command(try workplace.tool("sqlite3"), [":memory:", ".read \(workplace.path("tables.sql"))"]))
        })

    private static let gcc = program("g++", "compile templates", tools: ["g++"]) { workplace in
        Run(
            command: Command(
                try workplace.tool("g++"),
                ["-std=c++17", "-c", workplace.program("templates.cpp"), "-o", workplace.path("g++.o")]))
    }

    private static let clang = program("clang", "compile templates", tools: ["clang++"]) { workplace in
        Run(
            command: Command(
                try workplace.tool("clang++"),
                ["-std=c++17", "-O1", "-c", workplace.program("templates.cpp"), "-o", workplace.path("clang.o")]))
    }

    /// The commands run inside the repository through `-C`, with no configuration but this.
    private static let gitEnvironment = ["GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"]

    private static let gitLog = program(
        "git-log", "patches of all commits", tools: ["git"], prepare: { try GitHistory.write(in: $0) },
        run: { workplace in
            Run(
                command: Command(
                    try workplace.tool("git"),
                    ["-C", workplace.path("repository.git"), "log", "-p", "--stat", "history"],
                    environment: gitEnvironment))
        })

    private static let gitRepack = program(
        "git-repack", "repack with deltas", tools: ["git"], prepare: { try GitHistory.write(in: $0) },
        run: { workplace in
            Run(
                command: Command(
                    try workplace.tool("git"),
                    ["-C", workplace.path("repository.git"), "-c", "pack.threads=2", "repack", "-adfq", "--window=30"],
                    environment: gitEnvironment))
        })

    private static let lua = program("lua", "trees, strings, closures", tools: ["lua5.4"]) { workplace in
        Run(command: Command(try workplace.tool("lua5.4"), [workplace.program("trees.lua"), workplace.amount(40)]))
    }

    private static let ghostscript = program("ghostscript", "render drawn pages", tools: ["gs"]) { workplace in
        Run(
            command: Command(
                try workplace.tool("gs"),
                [
                    "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=ppmraw", "-r150", "-sOutputFile=/dev/null",
                    "-dpages=\(workplace.amount(8))", workplace.program("page.ps"),
                ]))
    }

    private static let z3 = program("z3", "prove that a number is prime", tools: ["z3"]) { workplace in
        Run(command: Command(try workplace.tool("z3"), [workplace.program("factors.smt2")]))
    }

    /// Programs in three languages that build large structures and drop them.
    private static let structures = [
        program("structures-c++", "maps, strings, lists and shared nodes, dropped whole", tools: ["g++"]) { workplace in
            let output = workplace.path("structures")
            if !FileManager.default.fileExists(atPath: output) {
                try Shell.output("g++", ["-std=c++17", "-O2", workplace.program("structures.cpp"), "-o", output])
            }
            return Run(command: Command(output, [workplace.amount(24)]))
        },
        program("structures-lua", "lists, hashes and trees, dropped whole", tools: ["lua5.4"]) { workplace in
            Run(
                command: Command(
                    try workplace.tool("lua5.4"), [workplace.program("structures.lua"), workplace.amount(12)]))
        },
        program("structures-python", "a graph, an index and rows, dropped whole", tools: ["python3"]) { workplace in
            Run(
                command: Command(
                    try workplace.tool("python3"), [workplace.program("structures.py"), workplace.amount(10)],
                    environment: ["PYTHONHASHSEED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONMALLOC": "malloc"]))
        },
    ]
}
