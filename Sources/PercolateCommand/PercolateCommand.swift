import ArgumentParser

@main
struct PercolateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "percolate",
        abstract: "Runs programs on Percolate, a malloc for Linux with per-CPU caches.",
        version: "percolate 0.1.0",
        subcommands: [RunCommand.self, DoctorCommand.self, DoctorProbeCommand.self])

    static func main() {
        main(RunCommand.separatingProgram(in: Array(CommandLine.arguments.dropFirst())))
    }
}
