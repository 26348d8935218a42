import Synchronization

/// Pages by their number, in parts with a lock each. A part that is full forgets one of its pages
/// for each new one.
final class PageCache: Sendable {
    private final class Part: Sendable {
        let pages = Mutex<[Int: String]>([:])
    }

    private let parts = (0..<64).map { _ in Part() }
    /// Pages of each part.
    private let capacity = 64

    func page(_ number: Int) -> String {
        let part = parts[Int(UInt(bitPattern: number) % UInt(parts.count))]
        if let page = part.pages.withLock({ $0[number] }) { return page }
        let page = Self.render(number)
        part.pages.withLock { pages in
            if pages.count >= capacity, let other = pages.keys.first { pages[other] = nil }
            pages[number] = page
        }
        return page
    }

    var count: Int { parts.reduce(0) { $0 + $1.pages.withLock(\.count) } }

    /// Forgets all pages.
    func empty() {
        for part in parts { part.pages.withLock { $0 = [:] } }
    }

    /// Some 1 to 30 KiB, as a template makes them: from many small strings.
    private static func render(_ number: Int) -> String {
        let rows = (0...Int(UInt(bitPattern: number) % 200)).map { row in
            "<tr><td>\(row)</td><td>article \(number &* 31 &+ row)</td><td>"
                + String(repeating: "text ", count: (row &* 7) % 20) + "</td></tr>"
        }
        return "<html><body><h1>Page \(number)</h1><table>" + rows.joined()
            + "</table></body></html>"
    }
}
