import CPercolate

/// A number of the statistics: its name in every rendering, where the core has it, and where it is
/// here.
///
/// The core has one list of names for each kind of record (<percolate/figures.h>). The lists here
/// follow its order.
struct Figure<Record>: Sendable {
    typealias Path = WritableKeyPath<Record, Int> & Sendable

    let name: String
    /// Bytes from the start of the core's record.
    let offset: Int
    /// Whether it only grows.
    let isCounter: Bool
    let path: Path
}

/// A record that consists of figures.
protocol FigureRecord {
    /// The core's record.
    associatedtype Source
    /// In the order of the core's list.
    static var paths: [Figure<Self>.Path] { get }
    static func named(_ number: Int) -> UnsafePointer<percolate_figure>?
    static var figures: [Figure<Self>] { get }
    static var emptySource: Source { get }
    init()
}

extension FigureRecord {
    static func list() -> [Figure<Self>] {
        paths.enumerated().map { number, path in
            guard let figure = unsafe named(number), let name = unsafe percolate_figure_name(figure) else {
                preconditionFailure("the core has no figure \(number) of \(Self.self)")
            }
            return unsafe Figure(
                name: String(cString: name), offset: Int(figure.pointee.offset),
                isCounter: UInt32(figure.pointee.kind) == PERCOLATE_COUNTER.rawValue, path: path)
        }
    }

    init(_ source: Source) {
        self.init()
        unsafe withUnsafeBytes(of: source) { bytes in
            for figure in Self.figures {
                let value = unsafe bytes.loadUnaligned(fromByteOffset: figure.offset, as: UInt64.self)
                self[keyPath: figure.path] = Int(truncatingIfNeeded: value)
            }
        }
    }

    /// The core's record with these figures, and 0 in its other fields.
    var source: Source {
        var source = Self.emptySource
        unsafe withUnsafeMutableBytes(of: &source) { bytes in
            for figure in Self.figures {
                let value = UInt64(truncatingIfNeeded: self[keyPath: figure.path])
                unsafe bytes.storeBytes(of: value, toByteOffset: figure.offset, as: UInt64.self)
            }
        }
        return source
    }

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
