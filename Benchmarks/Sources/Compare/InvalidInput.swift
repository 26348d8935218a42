/// What the person who started the comparison must change.
public struct InvalidInput: Error, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// Something that did not take part, and why.
public struct Skipped: Codable, Equatable, Sendable {
    public var name: String
    public var reason: String

    public init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }
}
