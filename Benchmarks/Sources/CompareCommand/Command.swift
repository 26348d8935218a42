import ArgumentParser
import Compare

@main
struct PercolateCompare: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "percolate-compare",
        abstract: "Measures Percolate beside other allocators: time, memory, page faults, instructions.",
        discussion: """
            Build the parent package first (swift build -c release), so that percolate takes part.

            Microbenchmarks inside one process are apart: swift package --package-path Benchmarks benchmark. What sections and \
            operation vectors cost beside an atomic addition, a mutex and a membarrier: percolate-vectors.
            """,
        subcommands: [RunCommand.self, InstructionsCommand.self, RenderCommand.self, ListCommand.self],
        defaultSubcommand: RunCommand.self)
}

/// The allocators that take part.
struct PeerOptions: ParsableArguments {
    @Option(
        name: .customLong("peer"), parsing: .singleValue,
        help: ArgumentHelp(
            "Add a shared object, or replace the one of that name. May be repeated.", valueName: "name=path"))
    var extra: [String] = []

    @Option(help: "Only these peers, separated by commas. The baseline always takes part.")
    var only: String?

    func peers(baseline: String) throws -> Peers {
        var peers = try Peers(
            extra: extra, checkout: Workplace.sourcePackage.deletingLastPathComponent())
        if let only {
            let names = Set(only.split(separator: ",").map(String.init) + [baseline])
            let known = Set(peers.found.map(\.name) + peers.missing.map(\.name))
            if let unknown = names.subtracting(known).sorted().first {
                throw ValidationError(
                    "there is no peer '\(unknown)': there are \(known.sorted().joined(separator: ", "))")
            }
            peers.found.removeAll { !names.contains($0.name) }
            peers.missing.removeAll { !names.contains($0.name) }
        }
        guard peers.found.contains(where: { $0.name == baseline }) else {
            throw ValidationError(
                "the baseline \(baseline) is not installed: apt-get install libjemalloc2, or name it by --peer")
        }
        return peers
    }
}
