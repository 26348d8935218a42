/// How long single calls took, for the reader whose server must answer in time.
struct LatencyTable {
    let report: Report
    let palette: Palette

    var html: String {
        let rows = report.latencies
        guard !rows.isEmpty else { return "" }
        let head = Latency.titles.map { "<th>\($0)</th>" }.joined()
        let lines = rows.map { row in
            let cells = row.nanoseconds.map { "<td>\(Quantity.nanoseconds($0))</td>" }.joined()
            return """
                <tr><th>\(Markup.escape("\(row.workload), \(row.function)"))</th>\
                <td class="\(palette.className(row.peer)) peer">\(Markup.escape(row.peer))</td>\(cells)</tr>
                """
        }
        return """
            <section><h2>Latency</h2><p>How long single calls took: medians of the rounds.</p>
            <div class="scroll"><table><thead><tr><th></th><th></th>\(head)</tr></thead>
            <tbody>\(lines.joined())</tbody></table></div></section>
            """
    }
}
