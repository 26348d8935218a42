/// What the server remembers of a user: some kilobytes, in objects of many sizes and ages.
final class Session {
    private(set) var visits = 0
    /// Of the store's clock.
    private(set) var lastVisit = 0
    private var basket: [Request.Item] = []
    private var pages: [String] = []
    private var preferences: [String: String] = [:]
    /// The body that was sent last, for a browser that asks again.
    private var body = ""

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
        for (name, value) in preferences { text += "<!-- \(name): \(value) -->" }
        return text + "</body></html>"
    }
}
