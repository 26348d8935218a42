import Foundation

/// The report as one page: everything is in the file, nothing is fetched.
public struct Page {
    private let report: Report

    public init(_ report: Report) { self.report = report }

    public var html: String {
        let palette = Palette(peers: report.peers.map(\.name), baseline: report.baseline)
        let sections = [
            MeansTable(report: report, palette: palette).html,
            RatioPlot(report: report, palette: palette, metric: .time).section(
                title: "Time", text: "Wall time of each workload, relative to \(report.baseline). Left is faster."),
            RatioPlot(report: report, palette: palette, metric: .peak).section(
                title: "Peak memory",
                text: "Highest resident memory of the program itself, relative to \(report.baseline). Left is smaller."),
            TimelinePlots(report: report, palette: palette).html,
            ScalingPlots(report: report, palette: palette).html,
            LatencyTable(report: report, palette: palette).html,
            ValuesTable(report: report, palette: palette).html,
            notes,
        ]
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Allocators compared</title>
            <style>
            \(PageStyle.text)
            \(palette.rules)
            </style>
            </head>
            <body>
            <header>
            <h1>Allocators compared</h1>
            <p>\(machine)</p>
            </header>
            \(legend(palette))
            <main>
            \(sections.filter { !$0.isEmpty }.joined(separator: "\n"))
            </main>
            <script>
            \(PageScript.text)
            </script>
            </body>
            </html>

            """
    }

    private var machine: String {
        let machine = report.machine
        let memory = String(format: "%.0f GiB", Double(machine.memoryBytes) / 1_073_741_824)
        let rounds = report.rounds == 1 ? "1 round" : "\(report.rounds) rounds, medians with quartiles"
        return [
            "\(machine.processor), \(machine.processors) processors, \(memory)", machine.kernel, machine.library,
            "huge pages: \(machine.transparentHugePages)", report.quick ? "\(rounds), quick" : rounds,
            report.started.formatted(.iso8601.year().month().day()),
        ].map(Markup.escape).joined(separator: " · ")
    }

    /// The switches work without the script's help for the reader who prints: all peers are shown at first.
    private func legend(_ palette: Palette) -> String {
        let entries = report.peers.map { peer in
            """
            <label class="\(palette.className(peer.name))"><input type="checkbox" checked \
            data-peer="\(palette.className(peer.name))"><i></i>\(Markup.escape(peer.name))\
            <small>\(Markup.escape(peer.origin))</small></label>
            """
        }
        return "<nav aria-label=\"Allocators\">\(entries.joined())</nav>"
    }

    private var notes: String {
        let failures = report.rows.flatMap { row in row.failures.map { "\(row.name) under \($0.peer): \($0.message)" } }
        let lines =
            report.skipped.map { "\($0.name) is left out: \($0.reason)" } + failures
            + report.machine.settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            + ["Load of the machine: \(report.loadAtStart) at the start, \(report.loadAtEnd) at the end."]
        return """
            <section><h2>Notes</h2><ul>\(lines.map { "<li>\(Markup.escape($0))</li>" }.joined())</ul></section>
            """
    }
}
