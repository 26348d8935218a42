import ArgumentParser
import Compare
import Foundation

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the workloads under every peer and compare.",
        discussion: """
            Each workload runs as a process of its own with the allocator preloaded. Runs are interleaved: a round is one run of \
            every workload under every peer, and the order of the peers rotates. A value is the median of the rounds, a ratio \
            is that of two medians, its spread are the quartiles of the ratios round by round.

            Time is wall time; for workloads that also sleep, the time they work; for servers, the client's. CPU time is user \
            and system time of the program and the children that it waited for. Peak resident is VmHWM of the largest process, \
            read while the process exits. Page faults are minor faults since exec.

            redis, postgres and the other programs take part where they are installed; the report names those that are not. \
            MALLOC_CONF, MIMALLOC_*, TCMALLOC_*, GLIBC_TUNABLES and PERCOLATE_OPTIONS reach the programs and are recorded.
            """)

    @Flag(help: "One round, a quarter of the work, 2 s of idle time: minutes, and rough figures.")
    var quick = false

    @Option(help: "Only workloads whose name the regular expression matches.")
    var filter: String?

    @Option(name: .customLong("runs"), help: "Rounds. Default: 5, with --quick 1.")
    var rounds: Int?

    @Option(help: "The peer that ratios refer to.")
    var baseline = Peers.baseline

    @Option(
        help: ArgumentHelp(
            "The machine's transparent huge pages while it runs. Only root may set them.",
            valueName: "setting")
    )
    var hugePages: HugePages?

    @OptionGroup var options: PeerOptions

    @Option(name: .customLong("json"), help: ArgumentHelp("Write the report.", valueName: "file"))
    var jsonFile: String?

    @Option(
        name: .customLong("html"),
        help: ArgumentHelp("Write one page with plots, complete in itself.", valueName: "file"))
    var pageFile: String?

    func validate() throws {
        if let rounds, rounds < 1 { throw ValidationError("--runs must be at least 1") }
        for file in [jsonFile, pageFile].compactMap({ $0 }) {
            let folder = URL(filePath: file).deletingLastPathComponent().path
            if !FileManager.default.isWritableFile(atPath: folder) { throw ValidationError("cannot write \(file)") }
        }
    }

    func run() throws {
        let workloads = try selectedWorkloads(filter)
        let comparison = Comparison(
            workloads: workloads, peers: try options.peers(baseline: baseline), baseline: baseline,
            rounds: rounds ?? (quick ? 1 : 5), quick: quick)
        let progress = ProgressLine()
        let report =
            if let hugePages {
                try hugePages.whileSet { try comparison.report(progress: progress.show) }
            } else {
                try comparison.report(progress: progress.show)
            }
        progress.finish()
        print(TextReport(report).text)
        if let jsonFile { try report.encoded().write(to: URL(filePath: jsonFile)) }
        if let pageFile { try Data(Page(report).html.utf8).write(to: URL(filePath: pageFile)) }
        if report.rows.contains(where: { !$0.failures.isEmpty }) { throw ExitCode.failure }
    }
}

extension HugePages: ExpressibleByArgument {}

/// The workloads whose name matches, or all.
func selectedWorkloads(_ filter: String?) throws -> [Workload] {
    guard let filter else { return WorkloadCatalog.all() }
    let pattern: Regex<AnyRegexOutput>
    do {
        pattern = try Regex(filter)
    } catch {
        throw ValidationError("--filter is not a regular expression: \(filter)")
    }
    let workloads = WorkloadCatalog.all().filter { $0.name.contains(pattern) }
    if workloads.isEmpty { throw ValidationError("no workload matches \(filter): see percolate-compare list") }
    return workloads
}
