import Foundation

/// Families of workloads that differ in the number of threads only.
struct ScalingPlots {
    let report: Report
    let palette: Palette

    var html: String {
        var families: [String] = []
        for family in report.rows.compactMap(\.family) where !families.contains(family) { families.append(family) }
        let charts = families.flatMap { family in
            [
                chart(family, .time, "time, relative to \(report.baseline)"),
                chart(family, .peak, "peak resident memory"),
            ]
        }
        .filter { !$0.isEmpty }
        guard !charts.isEmpty else { return "" }
        return """
            <section><h2>Scaling with threads</h2>
            <p>The same work, divided among more threads. Lower is better.</p>
            <div class="charts">\(charts.joined())</div></section>
            """
    }

    private func chart(_ family: String, _ metric: Metric, _ caption: String) -> String {
        let rows = report.rows.filter { $0.family == family }.sorted { $0.threads < $1.threads }
        guard rows.count > 1 else { return "" }
        let relative = metric == .time
        let lines = report.peers.map { peer in
            LineChart.Line(
                peer: peer.name,
                points: rows.compactMap { row in
                    let value =
                        relative
                        ? row.ratio(metric, of: peer.name, to: report.baseline)?.value
                        : row.median(metric, of: peer.name).map { $0 / LineChart.mebibyte }
                    return value.map { (x: Double(row.threads), y: $0) }
                },
                title: peer.name, dots: true)
        }
        return LineChart(
            title: family, caption: caption, lines: lines.filter { $0.points.count > 1 }, palette: palette,
            columns: rows.map { (Double($0.threads), "\($0.threads)") }, logarithmicColumns: true,
            label: { relative ? String(format: "%.3g", $0) : LineChart.mebibytes($0) }
        ).html
    }
}
