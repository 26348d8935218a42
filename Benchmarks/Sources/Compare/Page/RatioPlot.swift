import Foundation

/// A row per workload, a dot per peer at its ratio to the baseline, a bar for its quartiles.
struct RatioPlot {
    let report: Report
    let palette: Palette
    let metric: Metric

    private static let width = 960.0
    private static let left = 150.0
    private static let right = 930.0
    private static let rowHeight = 20.0
    private static let headHeight = 30.0
    /// Dots beyond are drawn at the edge, with their value.
    private static let widest = 0.1...6.0

    func section(title: String, text: String) -> String {
        guard !rows.isEmpty else { return "" }
        return """
            <section><h2>\(Markup.escape(title))</h2><p>\(Markup.escape(text))</p>
            \(Markup.drawing(width: Self.width, height: height, label: title, content))
            </section>
            """
    }

    private var rows: [Row] {
        report.rows.filter { row in others.contains { row.ratio(metric, of: $0, to: report.baseline) != nil } }
    }

    private var others: [String] { palette.drawingOrder.filter { $0 != report.baseline } }

    private var groups: [(group: WorkloadGroup, rows: [Row])] {
        WorkloadGroup.allCases.map { group in (group, rows.filter { $0.group == group }) }.filter { !$0.rows.isEmpty }
    }

    private var height: Double {
        Self.headHeight * Double(groups.count + 1) + Self.rowHeight * Double(rows.count) + 8
    }

    private var range: ClosedRange<Double> {
        let ratios = rows.flatMap { row in
            others.compactMap { row.ratio(metric, of: $0, to: report.baseline) }.flatMap { [$0.low, $0.high] }
        }
        let low = max(Self.widest.lowerBound, min(0.5, (ratios.min() ?? 1) * 0.92))
        let high = min(Self.widest.upperBound, max(1.5, (ratios.max() ?? 1) * 1.08))
        return low...high
    }

    private var content: [String] {
        let range = range
        let scale = Scale(range, logarithmic: true, from: Self.left, to: Self.right)
        var content: [String] = []
        for tick in Scale.ratioTicks(range) {
            content.append(
                Markup.line(scale(tick), Self.headHeight - 6, scale(tick), height - 4, tick == 1 ? "one" : "grid"))
            content.append(
                Markup.text(
                    String(format: "%g", tick), x: scale(tick), y: 16, tick == 1 ? "tick strong" : "tick",
                    anchor: "middle"))
        }
        var top = Self.headHeight
        for (group, rows) in groups {
            content.append(Markup.text(title(of: group), x: 0, y: top + 18, "group"))
            top += Self.headHeight
            for row in rows {
                content.append(contentsOf: draw(row, middle: top + Self.rowHeight / 2, scale, range))
                top += Self.rowHeight
            }
        }
        return content
    }

    private func title(of group: WorkloadGroup) -> String {
        switch group {
        case .micro: "One thread"
        case .threads: "Threads"
        case .programs: "Programs"
        }
    }

    private func draw(_ row: Row, middle: Double, _ scale: Scale, _ range: ClosedRange<Double>) -> [String] {
        var marks = [
            "<g class=\"row\"><rect x=\"0\" y=\"\(Markup.number(middle - Self.rowHeight / 2))\" "
                + "width=\"\(Markup.number(Self.width))\" height=\"\(Markup.number(Self.rowHeight))\">"
                + "<title>\(Markup.escape("\(row.name): \(row.summary)"))</title></rect>",
            Markup.line(Self.left, middle, Self.right, middle, "rule"),
            Markup.text(row.name, x: Self.left - 12, y: middle + 4, "name", anchor: "end"),
        ]
        for peer in others {
            guard let ratio = row.ratio(metric, of: peer, to: report.baseline) else { continue }
            marks.append(draw(ratio, of: peer, in: row, middle, scale, range))
        }
        marks.append("</g>")
        return marks
    }

    private func draw(
        _ ratio: Ratio, of peer: String, in row: Row, _ middle: Double, _ scale: Scale, _ range: ClosedRange<Double>
    ) -> String {
        let name = palette.className(peer)
        let value = min(max(ratio.value, range.lowerBound), range.upperBound)
        let low = max(ratio.low, range.lowerBound)
        let high = min(ratio.high, range.upperBound)
        let own = row.median(metric, of: peer).map { Quantity.of(metric, $0) } ?? ""
        let other = row.median(metric, of: report.baseline).map { Quantity.of(metric, $0) } ?? ""
        let title = """
            \(row.name), \(peer): \(Quantity.ratio(ratio.value)) (\(Quantity.ratio(ratio.low)) to \
            \(Quantity.ratio(ratio.high))), \(own) against \(other)
            """
        let bar = low < high ? Markup.line(scale(low), middle, scale(high), middle, "spread") : ""
        let beyond =
            value == ratio.value
            ? ""
            : Markup.text(
                Quantity.ratio(ratio.value), x: scale(value) + (value < 1 ? 8 : -8), y: middle + 4, "beyond",
                anchor: value < 1 ? "start" : "end")
        let radius = palette.isSubject(peer) ? 5.5 : 4
        return "<g class=\"mark \(name)\">\(bar)"
            + Markup.dot(
                scale(value), middle, radius: radius, palette.isSubject(peer) ? "dot subject" : "dot", title: title)
            + beyond + "</g>"
    }
}
