import ArgumentParser
import Glibc
import SystemPackage

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Show where a running process, or a program, allocates its memory.",
        usage: """
            percolate profile <pid> [--seconds <n>] [--live|--total] [--format <format>] [--output <file>] [--diff <file>]
            percolate profile [<options>] -- <program> [<arg> ...]
            """,
        discussion: """
            Of a process that does not sample its allocations already, sampling is switched on for the time and off afterwards; nothing \
            is restarted. The live profile then has what was allocated meanwhile and is still there: what grows. Where the \
            process samples since its start (option 'sample', or 'profile -- PROGRAM'), the live profile has everything.

            Formats: html, one page with a flame graph and a table, which needs nothing else; pprof, for 'go tool pprof' and others; folded, \
            a line for each stack. Without --format the name of the output file decides (.html, .folded, else pprof).

            --diff compares with an earlier profile, in the formats pprof or folded: the page shows what grew and what shrank, and folded \
            stacks have two numbers each, before and now.

            Exit status: 0, or the program's; 1 when the process cannot be looked at, 64 for wrong usage.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case pprof, folded, html }

    @Argument(help: ArgumentHelp("The process.", valueName: "pid"))
    var process: ObservedArgument?

    @Option(
        help: ArgumentHelp(
            "How long to sample: 10 for a process, up to the end for a program.", valueName: "n"))
    var seconds: Double?

    @Flag(
        help: ArgumentHelp(
            "Look at what is live, which is the default, or at everything that was allocated."))
    var kind = Kind.live

    enum Kind: String, EnumerableFlag { case live, total }

    @Option(
        help: ArgumentHelp(
            "Mean number of bytes between samples, as 64K; 1 samples every block.",
            valueName: "bytes"))
    var rate: SizeArgument?

    @Option(help: ArgumentHelp("What to write: pprof, folded or html.", valueName: "format"))
    var format: Format?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to: standard output without it.", valueName: "file"))
    var output: ArgumentPath?

    @Option(help: ArgumentHelp("An earlier profile to compare with.", valueName: "file"))
    var diff: ArgumentPath?

    @Option(
        help: ArgumentHelp(
            "The shared object to preload, if not the one beside this command.", valueName: "path"))
    var library: ArgumentPath?

    @Argument(parsing: .postTerminator, help: "The program and its arguments.")
    var program: [String] = []

    func validate() throws {
        guard (process == nil) != program.isEmpty else {
            throw ValidationError("Name either a process or, after '--', a program.")
        }
        if let seconds, !(seconds > 0 && seconds <= 86400) {
            throw ValidationError("--seconds must be above 0, and a day at most.")
        }
        if output == nil, chosenFormat == .pprof, isatty(1) == 1 {
            throw ValidationError(
                "A profile for pprof is no text: name a file with --output, or another --format.")
        }
    }

    private var chosenFormat: Format {
        if let format { return format }
        switch output?.path.extension {
        case "html", "htm": return .html
        case "folded", "txt": return .folded
        default: return .pprof
        }
    }

    private var stackKind: StackProfile.Kind { kind == .live ? .live : .total }

    func run() throws {
        if let process {
            try observing { () throws(ObservationFailure) in
                let earlier = try comparison()
                try write(
                    ProfileRecording.of(process.process, seconds: seconds ?? 10, rate: rate?.bytes),
                    earlier)
            }
        } else {
            try runProgram()
        }
    }

    private func runProgram() throws {
        do {
            let preloaded =
                if let library { try PreloadLibrary(at: library) } else { try PreloadLibrary() }
            let target = TargetInspection(of: program[0])
            if target.mayBePreloaded(sayingWhyNot: program[0]) {
                PreloadEnvironment(
                    library: preloaded, options: ["sample=\(rate?.bytes ?? ProfileRecording.usualRate)"]
                )
                .apply()
            }
            let child = try ProfiledProgram(lastArguments: program.count) {
                target.failure(of: program[0], $0)
            }
            throw ExitCode(finish(child))
        } catch let failure as RunFailure {
            StandardError.say(failure.sentence)
            throw ExitCode(failure.exitCode)
        }
    }

    /// Writes the profile when the time is over or the program ends, whichever comes first. Returns
    /// the exit status.
    private func finish(_ child: ProfiledProgram) -> Int32 {
        var failure: ObservationFailure?
        var isTaken = false
        func take() {
            guard !isTaken else { return }
            isTaken = true
            do throws(ObservationFailure) {
                try write(ProfileRecording.now(child.process), comparison())
            } catch { failure = error }
        }
        var end = child.wait(seconds: seconds) { take() }
        if end == nil {
            take()
            end = child.wait(seconds: nil) {}
        }
        if !isTaken { failure = .ended(child.process) }
        if let failure { StandardError.say(failure.sentence) }
        let code = end?.exitCode ?? 0
        return code == 0 && failure != nil ? 1 : code
    }

    // MARK: Output

    private func comparison() throws(ObservationFailure) -> [[String]: Double]? {
        guard let path = diff?.path else { return nil }
        let bytes: [UInt8]
        do { bytes = try GzipFile.read(path) } catch { throw .notProfile(path, "\(error)") }
        let earlier =
            PprofProfile.read(bytes, stackKind)
            ?? FoldedStacks.read(String(decoding: bytes, as: UTF8.self))
        guard let earlier, !earlier.isEmpty else {
            throw .notProfile(path, "it is no profile of pprof and has no folded stacks")
        }
        return earlier
    }

    private func write(_ profile: StackProfile, _ earlier: [[String]: Double]?)
        throws(ObservationFailure)
    {
        switch chosenFormat {
        case .pprof: try GzipFile.write(PprofProfile.encode(profile, stackKind), to: output?.path)
        case .folded:
            try Output.write(
                FoldedStacks.text(profile, stackKind, comparedWith: earlier).utf8, to: output?.path)
        case .html:
            try Output.write(
                FlamePage.text(profile, stackKind, comparedWith: earlier).utf8, to: output?.path)
        }
    }
}
