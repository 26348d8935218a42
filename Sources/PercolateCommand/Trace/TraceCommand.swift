import ArgumentParser
import CLinux
import Glibc
import SystemPackage

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Run a program on Percolate and show what the allocator does.",
        usage: """
            percolate trace [--events <kind,...>] [--summary] [--output <file>] [--hardened] [-o <key=value>]... \
            [--library <path>] -- <program> [<arg> ...]
            """,
        discussion: """
            Shows operation vectors and each of their operations, gates, aborted sections, refills, drains, steals, spans and \
            releases of the program and of all processes that it starts, one line each, until the program ends: the time in seconds, \
            process and thread, the CPU, the kind of event and its meaning. The program's streams, signals and end are its own.

            It is done by the kernel's probes in programs, which take CAP_SYS_ADMIN, as root has it. Where the kernel refuses, \
            one line says what is missing, and the program is not started. Events that come faster than they can be written are \
            lost, and counted at the end.

            The program is given a copy of the library for itself, so that other programs on Percolate are neither \
            slowed down nor shown.

            Exit status: the program's; 127 when it is not found, 126 when it cannot be executed, 125 when it cannot be traced, 64 \
            for wrong usage.
            """)

    @Option(
        help: ArgumentHelp("The kinds of events: \(EventSelection.choices). All without it.", valueName: "kind,..."))
    var events: EventSelection?

    @Flag(help: "Show counts, amounts and durations at the end, in place of the events.")
    var summary = false

    @Option(help: ArgumentHelp("Where to write, if not to standard error.", valueName: "file"))
    var output: ArgumentPath?

    @OptionGroup var launch: LaunchOptions

    /// The options whose value is the next argument.
    static let optionsWithValue: Set<String> = ["--events", "--output"]

    func run() throws {
        StandardStreams.occupy()
        do {
            try trace()
        } catch {
            StandardError.say(error.sentence)
            throw ExitCode(error.exitCode)
        }
    }

    private func trace() throws(TraceFailure) -> Never {
        let library: PreloadLibrary
        do { library = try launch.preloadLibrary() } catch { throw .run(error) }
        let unit = try UprobeUnit()
        let probes = try Self.probes(of: library, (events ?? .all).kinds)
        let target = TargetInspection(of: launch.program[0])
        let copy = try LibraryCopy(of: library)
        let signals: SignalRelay
        let listening: ProbeEvents
        let end: TracedProgram.End
        do throws(TraceFailure) {
            let limit = DescriptorLimit()
            listening = try ProbeEvents(probes, of: copy.library.path, in: unit, cpus: OnlineCPUs.numbers)
            limit.restore()
            signals = try SignalRelay()
            let output = try TraceOutput(output)
            if target.mayBePreloaded(sayingWhyNot: launch.program[0]) {
                PreloadEnvironment(library: copy.library, original: library, options: launch.assignments).apply()
            }
            var session = TraceSession(listening, signals: signals, output: output, summarizing: summary)
            _ = linux_adopt_orphans()
            do throws(TraceFailure) {
                let program = try TracedProgram(lastArguments: launch.program.count, signals: signals) {
                    target.failure(of: launch.program[0], $0)
                }
                end = session.follow(program)
            } catch {
                listening.closeInBackground()
                throw error
            }
        } catch {
            _ = copy.remove(leavingLink: false)
            throw error
        }
        if let rest = copy.remove(leavingLink: TracedProgram.descendantsRun) {
            StandardError.say("processes that the program started go on without a trace, and need \(rest)")
        }
        listening.closeInBackground()
        switch end {
        case .exited(let status): Glibc.exit(status)
        case .signaled(let number): signals.end(by: number)
        }
    }

    /// The probes of `kinds` in the library. Throws when one of them is missing.
    private static func probes(
        of library: PreloadLibrary, _ kinds: Set<EventKind>
    ) throws(TraceFailure) -> [TracedProbe] {
        let points: [ProbePoint]
        do {
            points = try ProbePoint.all(in: try FileReader(library.path))
        } catch {
            throw .unreadableProbes(library.path, error)
        }
        var probes: [TracedProbe] = []
        for name in ProbeName.allCases where kinds.contains(name.kind) {
            let found = points.filter { $0.provider == "percolate" && $0.name == name.rawValue }
            guard !found.isEmpty, found.allSatisfy({ $0.arguments.count == name.argumentCount }) else {
                throw .noProbes(library.path, missing: name)
            }
            probes += found.map { TracedProbe(name: name, point: $0) }
        }
        return probes
    }
}
