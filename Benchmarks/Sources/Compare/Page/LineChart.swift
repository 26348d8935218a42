import Foundation

/// A small plot of lines, one per peer.
struct LineChart {
    struct Line {
        var peer: String
        var points: [(x: Double, y: Double)]
        var title: String
        var dots = false
    }

    var title: String
    var caption: String
    var lines: [Line]
    var palette: Palette
    /// Values of the horizontal axis that get a label.
    var columns: [(value: Double, label: String)]
    var logarithmicColumns = false
    var label: (Double) -> String

    /// Memory is plotted in this unit, so that the axis has round labels.
    static let mebibyte = 1_048_576.0

    static func mebibytes(_ value: Double) -> String { String(format: value < 10 ? "%.3g MiB" : "%.0f MiB", value) }

    private static let width = 460.0
    private static let height = 250.0
    private static let left = 62.0
    private static let right = 448.0
    private static let top = 26.0
    private static let bottom = 222.0

    var html: String {
        let points = lines.flatMap(\.points)
        guard let first = columns.first?.value, let last = columns.last?.value, last > first,
            let highest = points.map(\.y).max(), highest > 0
        else { return "" }
        let ticks = Scale.ticks(to: highest, count: 4)
        let across = Scale(first...last, logarithmic: logarithmicColumns, from: Self.left, to: Self.right)
        let up = Scale(0...max(ticks.last ?? highest, highest), from: Self.bottom, to: Self.top)
        var content: [String] = []
        for tick in ticks {
            content.append(Markup.line(Self.left, up(tick), Self.right, up(tick), "grid"))
            content.append(Markup.text(label(tick), x: Self.left - 6, y: up(tick) + 4, "tick", anchor: "end"))
        }
        for column in columns {
            content.append(
                Markup.text(column.label, x: across(column.value), y: Self.bottom + 18, "tick", anchor: "middle"))
        }
        for line in ordered {
            let points = line.points.filter { (first...last).contains($0.x) }.map { (x: across($0.x), y: up($0.y)) }
            let classes = palette.isSubject(line.peer) ? "line subject" : "line"
            var marks = Markup.path(points, classes, title: line.title)
            if line.dots {
                for (point, value) in zip(points, line.points) {
                    marks += Markup.dot(
                        point.x, point.y, radius: palette.isSubject(line.peer) ? 4.5 : 3.5, "dot",
                        title: "\(line.peer): \(label(value.y))")
                }
            }
            content.append("<g class=\"mark \(palette.className(line.peer))\">\(marks)</g>")
        }
        return """
            <figure><figcaption><b>\(Markup.escape(title))</b> \(Markup.escape(caption))</figcaption>
            \(Markup.drawing(width: Self.width, height: Self.height, label: title, content))</figure>
            """
    }

    private var ordered: [Line] {
        palette.drawingOrder.flatMap { peer in lines.filter { $0.peer == peer } }
    }
}
