import ArgumentParser
import Percolate

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show what a running process holds.",
        discussion: """
            The process is read as a debugger reads it, and does not notice: nothing runs in it, no signal reaches it, nothing is \
            opened in it. It must be a process of the same user (or this command root), on the Percolate of this version. The names \
            are those of '--stats', of malloc_info and of the Swift API.

            Figures of a busy process were each true at some moment; sums are exact once it is quiet.

            Exit status: 0, 1 when the process cannot be looked at, 64 for wrong usage.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, prometheus }

    @Argument(help: ArgumentHelp("The process.", valueName: "pid"))
    var process: ObservedArgument

    @Option(
        help: ArgumentHelp(
            "How to write the figures: text, json or prometheus.", valueName: "format"))
    var format = Format.text

    func run() throws {
        try observing { () throws(ObservationFailure) in
            var process = try ObservedProcess(process.process)
            let statistics = try process.statistics()
            let text =
                switch format {
                case .text: statistics.description
                case .json: statistics.json + "\n"
                case .prometheus: statistics.prometheus
                }
            try Output.write(text.utf8, to: nil)
        }
    }
}
