/// What the server remembers of a user: some twenty kilobytes, in objects of many sizes and ages.
final class Session {
    /// An order of the past, as the database gave it at the first visit.
    private struct Order {
        var title: String
        var lines: [String]
    }

    private(set) var visits = 0
    /// Of the store's clock.
    private(set) var lastVisit = 0
    private let orders: [Order]
    private var basket: [Request.Item] = []
    private var pages: [String] = []
    private var preferences: [String: String] = [:]
    /// The body that was sent last, for a browser that asks again.
    private var body = ""

    init(number: Int) {
        orders = (0..<number % 97).map { order in
            let lines = (0..<(number &* 7 &+ order) % 9).map { line in
                let length = (number &* 31 &+ order &* 17 &+ line) % 150
                return "line \(line) of \(number): " + String(repeating: "x", count: length)
            }
            return Order(title: "order \(order) of customer \(number)", lines: lines)
        }
    }

    /// Takes in one request and says what to answer.
    func visit(_ request: Request, at time: Int) -> Reply {
        visits += 1
        lastVisit = time
        pages.append(request.page)
        if pages.count > 24 { pages.removeFirst(8) }
        preferences["last-\(visits % 6)"] = request.page
        if let item = request.item {
            basket.append(item)
            if basket.count > 16 { basket.removeFirst(12) }
        }
        body = render()
        return Reply(session: request.session, visits: visits, items: basket.reduce(0) { $0 + $1.count }, body: body)
    }

    private func render() -> String {
        var text = "<html><body><h1>\(pages.last ?? "")</h1><ul>"
        for item in basket { text += "<li>\(item.count) x \(item.title): \(item.note)</li>" }
        text += "</ul><nav>"
        for page in pages.suffix(10) { text += "<a href=\"\(page)\">\(page)</a>" }
        text += "</nav>"
        for order in orders.suffix(3) { text += "<p>\(order.title): \(order.lines.first ?? "empty")</p>" }
        for (name, value) in preferences { text += "<!-- \(name): \(value) -->" }
        return text + "</body></html>"
    }
}
