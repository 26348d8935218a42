/// A number of the statistics: its name in every rendering, and where it is.
///
/// One list of these for each kind of record drives the text, JSON and Prometheus renderings and the coding, so that they agree.
struct Figure<Record>: Sendable {
    enum Kind: String, Sendable { case gauge, counter }

    let name: String
    let kind: Kind
    let help: String
    let path: WritableKeyPath<Record, Int> & Sendable

    init(_ name: String, _ kind: Kind, _ path: WritableKeyPath<Record, Int> & Sendable, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
        self.path = path
    }
}

/// A record that consists of figures.
protocol FigureRecord {
    static var figures: [Figure<Self>] { get }
    init()
}

extension FigureRecord {
    init(decoding decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: FigureName.self)
        for figure in Self.figures {
            self[keyPath: figure.path] = try container.decode(Int.self, forKey: FigureName(stringValue: figure.name))
        }
    }

    func encodeFigures(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: FigureName.self)
        for figure in Self.figures {
            try container.encode(self[keyPath: figure.path], forKey: FigureName(stringValue: figure.name))
        }
    }
}

private struct FigureName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
}
