import ArgumentParser
import Glibc
import SystemPackage

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a program on Percolate.",
        usage: """
            percolate run [--stats[=<file>]] [--leaks] [--hardened] [-o <key=value>]... [--library <path>] -- <program> [<arg> ...]
            """,
        discussion: """
            The command replaces itself by the program, which keeps the process id, the arguments, the environment, the \
            standard streams and the signals, and whose end is seen by the caller as it is. The library is preloaded, \
            before whatever LD_PRELOAD names already, and the options follow those of PERCOLATE_OPTIONS. Both reach the \
            program's children too.

            A program that cannot be served (a static executable, one that gains privileges, one built with a \
            sanitizer, for another machine or with a malloc of its own) runs all the same, after one line that says so.

            Options, for -o and in PERCOLATE_OPTIONS, where commas separate them:

            \(OptionAssignment.list)

            Exit status: the program's; 127 when it is not found, 126 when it cannot be executed, 125 when this \
            command fails before that, 64 for wrong usage.
            """)

    @Option(
        defaultAsFlag: StatisticsDestination.standardError, parsing: .next,
        help: ArgumentHelp(
            """
            Write statistics when the program ends: to standard error, or after '=' to a file, as JSON where its name ends in .json and for \
            Prometheus where it ends in .prom; children write to <file>.<pid>. '-o stats-format=' says text, json or prometheus.
            """,
            valueName: "file"))
    var stats: StatisticsDestination?

    @Flag(
        help: """
            List on standard error what was not freed when the program ends, by where it was allocated: an estimate from samples, or \
            every block with '-o sample=1'.
            """)
    var leaks = false

    @OptionGroup var launch: LaunchOptions

    func run() throws {
        do {
            try replace()
        } catch {
            StandardError.say(error.sentence)
            throw ExitCode(error.exitCode)
        }
    }

    private func replace() throws(RunFailure) -> Never {
        let preloaded = try launch.preloadLibrary()
        let options = try stats?.options() ?? []
        let target = TargetInspection(of: launch.program[0])
        if target.mayBePreloaded(sayingWhyNot: launch.program[0]) {
            PreloadEnvironment(library: preloaded, options: options + (leaks ? ["leaks=1"] : []) + launch.assignments)
                .apply()
        }
        throw target.failure(
            of: launch.program[0], ProcessReplacement.execute(lastArguments: launch.program.count))
    }
}
