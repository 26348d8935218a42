import Foundation

/// Every median, for the reader who wants the number.
struct ValuesTable {
    let report: Report
    let palette: Palette

    var html: String {
        let peers = report.peers
        let head = peers.map { "<th class=\"\(palette.className($0.name)) peer\">\(Markup.escape($0.name))</th>" }
            .joined()
        let tables = [Metric.time, .processor, .peak, .faults, .last].map { metric in
            let rows = report.rows.filter { row in peers.contains { row.median(metric, of: $0.name) != nil } }
            let lines = rows.map { row in
                let cells = peers.map { peer in
                    "<td>\(row.median(metric, of: peer.name).map { Quantity.of(metric, $0) } ?? "–")</td>"
                }
                return
                    "<tr><th title=\"\(Markup.escape(row.summary))\">\(Markup.escape(row.name))</th>\(cells.joined())</tr>"
            }
            return rows.isEmpty
                ? ""
                : """
                <details><summary>\(metric.title)</summary><div class="scroll"><table>
                <thead><tr><th></th>\(head)</tr></thead><tbody>\(lines.joined())</tbody></table></div></details>
                """
        }
        return "<section><h2>Values</h2>\(tables.joined())</section>"
    }
}
