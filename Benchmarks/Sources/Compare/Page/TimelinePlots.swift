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
            <p>Resident memory during the work and the idle time after everything was freed. Lower is better.</p>
            <div class="charts">\(charts.joined())</div></section>
            """
    }

    /// The lines begin where the work does: the peers differ in how long they took before that.
    private func chart(_ row: Row) -> String {
        let lines = report.peers.compactMap { peer -> LineChart.Line? in
            guard let run = row.measurements[peer.name]?.first, !run.timeline.isEmpty else { return nil }
            let start = run.marks.first?.seconds ?? 0
            let left = run.marks.first { $0.mark == "freed" }.map { "freed: \(Quantity.bytes($0.resident))" }
            let last = run.marks.last.map { "\($0.mark): \(Quantity.bytes($0.resident))" }
            let peak = "peak \(Quantity.bytes(run.peakResidentBytes))"
            let points = (run.timeline + run.marks.map { Point(seconds: $0.seconds, resident: $0.resident) })
                .map { (x: $0.seconds - start, y: Double($0.resident) / LineChart.mebibyte) }.filter { $0.x >= 0 }.sorted { $0.x < $1.x }
            return LineChart.Line(
                peer: peer.name, points: points,
                title: ([peer.name, peak] + [left, last].compactMap { $0 }).joined(separator: ", "))
        }
        let end = lines.compactMap { $0.points.last?.x }.max() ?? 0
        return LineChart(
            title: row.name, caption: row.summary, lines: lines, palette: palette,
            columns: Scale.ticks(to: end, count: 6).filter { $0 <= end }.map { ($0, String(format: "%g s", $0)) },
            label: LineChart.mebibytes
        ).html
    }
}
