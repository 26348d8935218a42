import Compare
import Foundation
import TextTable

/// The report as tables for a terminal.
struct TextReport {
    private let report: Report

    init(_ report: Report) { self.report = report }

    var text: String {
        ([heading, skipped] + [Metric.time, .processor, .peak, .faults].map(table) + [
            latencies, means, above, failures,
        ])
        .filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private var heading: String {
        let machine = report.machine
        return """
            \(machine.processor), \(machine.processors) processors, \(machine.kernel), \(machine.library), \
            huge pages: \(machine.transparentHugePages)
            \(report.rounds) rounds\(report.quick ? ", quick" : ""), load \(report.loadAtStart) to \(report.loadAtEnd); \
            ratios to \(report.baseline), medians with quartiles
            \(report.peers.map { "\($0.name): \($0.origin)" }.joined(separator: "\n"))
            """
    }

    private var skipped: String {
        report.skipped.map { "\($0.name) is left out: \($0.reason)" }.joined(separator: "\n")
    }

    private var others: [Peer] { report.peers.filter { $0.name != report.baseline } }

    private func table(_ metric: Metric) -> String {
        let table = TextTable<Row> { row in
            [
                Column(title: metric.title, value: row.name),
                Column(
                    title: report.baseline,
                    value: row.median(metric, of: report.baseline).map { Quantity.of(metric, $0) } ?? "-", align: .right
                ),
            ]
                + others.map { peer in
                    Column(
                        title: peer.name, value: cell(row.ratio(metric, of: peer.name, to: report.baseline)),
                        align: .right)
                }
        }
        return table.string(for: report.rows, style: Style.psql) ?? ""
    }

    private func cell(_ ratio: Ratio?) -> String {
        guard let ratio else { return "-" }
        let value = Quantity.ratio(ratio.value)
        if report.rounds == 1 { return value }
        return "\(value) (\(Quantity.ratio(ratio.low))-\(Quantity.ratio(ratio.high)))"
    }

    private var latencies: String {
        let rows = report.latencies
        guard !rows.isEmpty else { return "" }
        let table = TextTable<LatencyRow> { row in
            [
                Column(title: "latency", value: "\(row.workload), \(row.function)"),
                Column(title: "", value: row.peer),
            ]
                + zip(Latency.titles, row.nanoseconds).map { title, value in
                    Column(title: title, value: Quantity.nanoseconds(value), align: .right)
                }
        }
        return table.string(for: rows, style: Style.psql) ?? ""
    }

    private struct Mean {
        var metric: Metric
        var selection: Selection
    }

    private var means: String {
        let metrics = [Metric.time, .processor, .peak, .faults, .last]
        let wanted = metrics.flatMap { metric in Selection.allCases.map { Mean(metric: metric, selection: $0) } }
            .filter { mean in others.contains { report.mean(mean.metric, of: $0.name, over: mean.selection) != nil } }
        let table = TextTable<Mean> { mean in
            [Column(title: "geometric mean", value: "\(mean.metric.title), \(mean.selection.title)")]
                + others.map { peer in
                    let value = report.mean(mean.metric, of: peer.name, over: mean.selection)
                    return Column(
                        title: peer.name, value: value.map { "\(Quantity.ratio($0.value)) of \($0.rows)" } ?? "-",
                        align: .right)
                }
        }
        return table.string(for: wanted, style: Style.psql) ?? ""
    }

    private var above: String {
        [Metric.time, .processor, .peak].flatMap { metric in
            others.map { peer in
                let rows = report.rowsAbove(1.05, metric, of: peer.name)
                let names = rows.prefix(6).map { "\($0.name) \(Quantity.ratio($0.ratio))" }.joined(separator: ", ")
                return "\(peer.name): \(rows.count) rows above 1.05 in \(metric.title)"
                    + (rows.isEmpty ? "" : ": \(names)\(rows.count > 6 ? ", ..." : "")")
            }
        }.joined(separator: "\n")
    }

    private var failures: String {
        report.rows.flatMap { row in row.failures.map { "\(row.name) under \($0.peer) failed: \($0.message)" } }
            .joined(separator: "\n")
    }
}
