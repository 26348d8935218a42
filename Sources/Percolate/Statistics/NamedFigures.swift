import CPercolate

extension HeapStatistics {
    /// A figure with the name that it has in every rendering, without what renderings add to it.
    package struct NamedFigure: Sendable {
        /// The name, such as `application_bytes`.
        package let name: String
        /// Whether it only grows.
        package let isCounter: Bool
        /// The figure.
        package let value: Int
    }
}

extension FigureRecord {
    fileprivate var namedFiguresOfRecord: [HeapStatistics.NamedFigure] {
        Self.figures.map { figure in
            HeapStatistics.NamedFigure(
                name: figure.name, isCounter: figure.isCounter, value: self[keyPath: figure.path])
        }
    }
}

extension HeapStatistics.Process {
    /// All figures, in the order of the renderings.
    package var namedFigures: [HeapStatistics.NamedFigure] { namedFiguresOfRecord }
}

extension HeapStatistics.SizeClass {
    /// All figures, in the order of the renderings.
    package var namedFigures: [HeapStatistics.NamedFigure] { namedFiguresOfRecord }
}

extension HeapStatistics.CPU {
    /// All figures, in the order of the renderings.
    package var namedFigures: [HeapStatistics.NamedFigure] { namedFiguresOfRecord }
}
