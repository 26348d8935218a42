import ArgumentParser
import Glibc
import SystemPackage

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a program on Percolate.",
        usage: """
            percolate run [--stats[=<file>]] [--hardened] [-o <key=value>]... [--library <path>] -- <program> [<arg> ...]
            """,
        discussion: """
            The command replaces itself by the program, which keeps the process id, the arguments, the environment, the \
            standard streams and the signals, and whose end is seen by the caller as it is. The library is preloaded, \
            before whatever LD_PRELOAD names already, and the options follow those of PERCOLATE_OPTIONS. Both reach the \
            program's children too.

            A program that cannot be served (a static executable, one that gains privileges, one built with a \
            sanitizer, for another machine or with a malloc of its own) runs all the same, after one line that says so.

            Exit status: the program's; 127 when it is not found, 126 when it cannot be executed, 125 when this \
            command fails before that, 64 for wrong usage.
            """)

    @Option(
        defaultAsFlag: StatisticsDestination.standardError, parsing: .next,
        help: ArgumentHelp(
            "Write statistics when the program ends: to standard error, or after '=' to a file; children write to <file>.<pid>.",
            valueName: "file"))
    var stats: StatisticsDestination?

    @Flag(help: "Check every operation at once, for every programmer's error. Slower.")
    var hardened = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Set an option of the allocator; may be repeated.", valueName: "key=value"))
    var option: [OptionAssignment] = []

    @Option(help: ArgumentHelp("The shared object to preload, if not the one beside this command.", valueName: "path"))
    var library: ArgumentPath?

    @Argument(parsing: .postTerminator, help: "The program and its arguments.")
    var program: [String] = []

    /// The options whose value is the next argument.
    private static let optionsWithValue: Set<String> = ["-o", "--option", "--library"]

    /// Puts `--` before the program where the user left it out: everything after the first argument that is neither an
    /// option nor an option's value belongs to the program, however it looks.
    static func separatingProgram(in arguments: [String]) -> [String] {
        guard arguments.first == configuration.commandName else { return arguments }
        var index = 1
        while index < arguments.count, arguments[index] != "--" {
            guard arguments[index].hasPrefix("-"), arguments[index] != "-" else {
                return arguments[..<index] + ["--"] + arguments[index...]
            }
            index += optionsWithValue.contains(arguments[index]) ? 2 : 1
        }
        return arguments
    }

    func validate() throws {
        guard !program.isEmpty else { throw ValidationError("No program to run. Name it after '--'.") }
    }

    func run() throws {
        do {
            try replace()
        } catch {
            StandardError.say(error.sentence)
            throw ExitCode(error.exitCode)
        }
    }

    private func replace() throws(RunFailure) -> Never {
        let preloaded = if let library { try PreloadLibrary(at: library) } else { try PreloadLibrary() }
        let options = try stats?.options() ?? []
        let target = TargetInspection(of: program[0])
        if let obstacle = target.obstacle {
            StandardError.say("\(program[0]) will not be served by Percolate because \(obstacle.reason)")
        }
        if target.obstacle?.failsWithPreload != true {
            PreloadEnvironment(library: preloaded, options: options + assignments).apply()
        }
        let error = ProcessReplacement.execute(lastArguments: program.count)
        throw .program(program[0], error, missingInterpreter: error == .noSuchFileOrDirectory ? target.missing : nil)
    }

    private var assignments: [String] { (hardened ? ["hardened=1"] : []) + option.map(\.text) }
}
