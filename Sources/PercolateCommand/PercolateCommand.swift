import ArgumentParser

@main
struct PercolateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "percolate",
        abstract: "Runs programs on Percolate, a malloc for Linux with per-CPU caches.",
        version: "percolate 0.1.0",
        subcommands: [
            RunCommand.self, StatsCommand.self, TopCommand.self, ProfileCommand.self, TrimCommand.self,
            TraceCommand.self,
            DoctorCommand.self, DoctorProbeCommand.self,
        ])

    static func main() {
        main(ProgramSeparator.adding(to: Array(CommandLine.arguments.dropFirst())))
    }
}
