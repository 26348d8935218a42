import ArgumentParser
import SystemPackage

/// What every way of starting a program on Percolate is told: which library, with which options,
/// and the program.
struct LaunchOptions: ParsableArguments {
    @Flag(help: "Check every operation at once, for every programmer's error. Slower.")
    var hardened = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Set an option of the allocator; may be repeated. 'percolate run --help' lists them.",
            valueName: "key=value"))
    var option: [OptionAssignment] = []

    @Option(help: ArgumentHelp("The shared object to preload, if not the one beside this command.", valueName: "path"))
    var library: ArgumentPath?

    @Argument(parsing: .postTerminator, help: "The program and its arguments.")
    var program: [String] = []

    /// The options whose value is the next argument.
    static let withValue: Set<String> = ["-o", "--option", "--library"]

    func validate() throws {
        guard !program.isEmpty else { throw ValidationError("No program to run. Name it after '--'.") }
    }

    func preloadLibrary() throws(RunFailure) -> PreloadLibrary {
        if let library { try PreloadLibrary(at: library) } else { try PreloadLibrary() }
    }

    var assignments: [String] { (hardened ? ["hardened=1"] : []) + option.map(\.text) }
}

extension TargetInspection {
    /// Whether the library is to be preloaded into `program`, after a line that says why it will
    /// not serve it, if so.
    func mayBePreloaded(sayingWhyNot program: String) -> Bool {
        for remark in remarks(on: program) { StandardError.say(remark) }
        return obstacle?.failsWithPreload != true
    }

    /// What keeps Percolate from serving `program`, wholly or in part: a sentence each.
    func remarks(on program: String) -> [String] {
        if let obstacle { return ["\(program) will not be served by Percolate because \(obstacle.reason)"] }
        return foreign.map { [$0.sentence(of: program)] } ?? []
    }

    /// What to say when executing `program` has failed with `error`.
    func failure(of program: String, _ error: Errno) -> RunFailure {
        .program(program, error, missingInterpreter: error == .noSuchFileOrDirectory ? missing : nil)
    }
}
