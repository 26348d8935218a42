import Foundation

/// The geometric means, which is what the page is read for first.
struct MeansTable {
    let report: Report
    let palette: Palette

    private static let metrics = [Metric.time, .processor, .peak, .faults, .last]

    var html: String {
        let peers = report.peers.filter { $0.name != report.baseline }
        let tables = Self.metrics.map { table($0, peers) }.filter { !$0.isEmpty }
        return """
            <section><h2>At a glance</h2>
            <p>Geometric means of the ratios to \(Markup.escape(report.baseline)). Below 1 is better.</p>
            <div class="tables">\(tables.joined())</div></section>
            """
    }

    private func table(_ metric: Metric, _ peers: [Peer]) -> String {
        let rows = Selection.allCases.compactMap { row(metric, $0, peers) }
        if rows.isEmpty { return "" }
        let head = peers.map { "<th class=\"\(palette.className($0.name)) peer\">\(Markup.escape($0.name))</th>" }
            .joined()
        let above = [.time, .processor, .peak].contains(metric) ? aboveRow(metric, peers) : ""
        return """
            <div class="scroll"><table class="means"><thead><tr><th class="corner">\(metric.title)</th>\(head)</tr></thead>
            <tbody>\(rows.joined())\(above)</tbody></table></div>
            """
    }

    private func row(_ metric: Metric, _ selection: Selection, _ peers: [Peer]) -> String? {
        let means = peers.map { report.mean(metric, of: $0.name, over: selection) }
        let known = means.compactMap { $0?.value }
        guard let best = known.min() else { return nil }
        let cells = zip(peers, means).map { peer, mean in
            guard let mean else { return "<td>–</td>" }
            let classes = (mean.value == best && known.count > 1 ? "best " : "") + (mean.value < 1 ? "better" : "worse")
            let strength = String(format: "%.2f", min(abs(log2(mean.value)), 1))
            return """
                <td class="\(classes)" style="--strength: \(strength)" title="\(mean.rows) workloads">\
                \(Quantity.ratio(mean.value))</td>
                """
        }
        return "<tr><th>\(selection.title)</th>\(cells.joined())</tr>"
    }

    private func aboveRow(_ metric: Metric, _ peers: [Peer]) -> String {
        let cells = peers.map { peer in
            let rows = report.rowsAbove(1.05, metric, of: peer.name)
            let names = rows.map { "\($0.name) \(Quantity.ratio($0.ratio))" }.joined(separator: ", ")
            return "<td title=\"\(Markup.escape(names))\">\(rows.count)</td>"
        }
        return "<tr><th>rows above 1.05</th>\(cells.joined())</tr>"
    }
}
