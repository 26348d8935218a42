import Foundation

/// Maps a range of values to a range of coordinates, in proportion or by logarithm.
struct Scale {
    private let low: Double
    private let high: Double
    private let logarithmic: Bool
    private let from: Double
    private let to: Double

    init(_ values: ClosedRange<Double>, logarithmic: Bool = false, from: Double, to: Double) {
        self.logarithmic = logarithmic
        low = logarithmic ? log(values.lowerBound) : values.lowerBound
        high = logarithmic ? log(values.upperBound) : values.upperBound
        self.from = from
        self.to = to
    }

    func callAsFunction(_ value: Double) -> Double {
        guard high > low else { return from }
        let position = ((logarithmic ? log(value) : value) - low) / (high - low)
        return from + position * (to - from)
    }

    /// Round values from zero up, at most about `count`, that cover `highest`.
    static func ticks(to highest: Double, count: Int = 5) -> [Double] {
        guard highest > 0 else { return [0] }
        let raw = highest / Double(count)
        let power = pow(10, floor(log10(raw)))
        let step = ([1, 2, 2.5, 5, 10].first { $0 * power >= raw } ?? 10) * power
        return Array(stride(from: 0, through: highest + step * 0.999, by: step))
    }

    /// Ratios that deserve a line between the least and the largest.
    static func ratioTicks(_ range: ClosedRange<Double>) -> [Double] {
        [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50].filter(range.contains)
    }
}
