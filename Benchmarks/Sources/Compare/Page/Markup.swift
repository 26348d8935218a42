import Foundation

/// Text for HTML and SVG.
enum Markup {
    static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// A coordinate: a tenth of a pixel is as fine as anyone sees.
    static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    static func text(_ text: String, x: Double, y: Double, _ classes: String, anchor: String = "start") -> String {
        """
        <text x="\(number(x))" y="\(number(y))" class="\(classes)" text-anchor="\(anchor)">\(escape(text))</text>
        """
    }

    static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ classes: String) -> String {
        """
        <line x1="\(number(x1))" y1="\(number(y1))" x2="\(number(x2))" y2="\(number(y2))" class="\(classes)"/>
        """
    }

    static func path(_ points: [(x: Double, y: Double)], _ classes: String, title: String) -> String {
        let commands = points.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(number(point.x)) \(number(point.y))"
        }
        return
            "<path d=\"\(commands.joined(separator: " "))\" class=\"\(classes)\"><title>\(escape(title))</title></path>"
    }

    static func dot(_ x: Double, _ y: Double, radius: Double, _ classes: String, title: String) -> String {
        """
        <circle cx="\(number(x))" cy="\(number(y))" r="\(number(radius))" class="\(classes)">\
        <title>\(escape(title))</title></circle>
        """
    }

    static func drawing(width: Double, height: Double, label: String, _ content: [String]) -> String {
        """
        <svg viewBox="0 0 \(number(width)) \(number(height))" role="img" aria-label="\(escape(label))">
        \(content.joined(separator: "\n"))
        </svg>
        """
    }
}
