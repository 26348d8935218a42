import Foundation

/// Resident memory over time, for the workloads that are about what remains.
struct TimelinePlots {
    let report: Report
    let palette: Palette

    var html: String {
        let charts = report.rows.filter { row in row.measurements.values.joined().contains { !$0.timeline.isEmpty } }
            .map(chart)
        guard !charts.isEmpty else { return "" }
        return """
            <section><h2>Memory over time</h2>
            <p>Resident memory while the program works and then, with everything freed, does nothing. Lower is better.</p>
            <div class="charts">\(charts.joined())</div></section>
            """
    }

    /// Longer work is cut off on the left: the plot is about what comes after it.
    private static let longestWork = 3.0

    /// Zero is the moment when everything was freed. Peers take different times to get there, and the same time from there.
    private func chart(_ row: Row) -> String {
        let lines = report.peers.compactMap { peer in
            row.measurements[peer.name]?.first.flatMap { line($0, of: peer.name) }
        }
        let points = lines.flatMap(\.points)
        guard let first = points.map(\.x).min(), let last = points.map(\.x).max() else { return "" }
        let step = last - first > 8 ? 2.0 : last - first > 3.5 ? 1 : 0.5
        let columns =
            stride(from: first / step, through: last / step, by: 1).map { $0.rounded(.down) * step }
            + [(last / step).rounded() * step]
        return LineChart(
            title: row.name, caption: row.summary, lines: lines, palette: palette,
            columns: Set(columns).sorted().map { ($0, $0 == 0 ? "freed" : String(format: "%+g s", $0)) },
            label: LineChart.mebibytes
        ).html
    }

    private func line(_ run: Measurement, of peer: String) -> LineChart.Line? {
        guard let start = run.marks.first, let freed = run.marks.first(where: { $0.mark == "freed" }),
            let end = run.marks.last
        else { return nil }
        let points = (run.timeline + run.marks.map { Point(seconds: $0.seconds, resident: $0.resident) })
            .filter { (start.seconds...end.seconds).contains($0.seconds) }
            .map { (x: $0.seconds - freed.seconds, y: Double($0.resident) / LineChart.mebibyte) }
            .filter { $0.x >= -Self.longestWork }.sorted { $0.x < $1.x }
        let story = run.marks.map { "\($0.mark): \(Quantity.bytes($0.resident))" }
        return LineChart.Line(peer: peer, points: points, title: ([peer] + story).joined(separator: ", "))
    }
}
