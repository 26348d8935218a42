import ArgumentParser

@main
struct PercolateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "percolate")
}
