/// What a client asks, as one line of JSON.
struct Request: Codable, Sendable {
    struct Item: Codable, Sendable {
        var title: String
        var count: Int
        var note: String
    }

    /// The session's number.
    var session: Int
    /// The page that the user sees.
    var page: String
    /// What the user puts into the basket.
    var item: Item?
}

/// What the server answers, as one line of JSON.
struct Reply: Codable, Sendable {
    var session: Int
    /// Visits of the session, this one included.
    var visits: Int
    /// Everything in the basket, counted.
    var items: Int
    var body: String
}
