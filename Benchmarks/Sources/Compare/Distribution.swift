import Foundation

/// Order statistics of repeated measurements, and the mean for ratios.
public enum Distribution {
    /// The value at `fraction` of the sorted values, linear between neighbours. `nil` for no values.
    public static func quantile(_ values: [Double], _ fraction: Double) -> Double? {
        guard !values.isEmpty, (0...1).contains(fraction) else { return nil }
        let sorted = values.sorted()
        let position = fraction * Double(sorted.count - 1)
        let below = Int(position.rounded(.down))
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
    }

    /// The middle value, or the mean of the two middle ones.
    public static func median(_ values: [Double]) -> Double? { quantile(values, 0.5) }

    /// The mean that is right for ratios: halving one and doubling another cancel. `nil` when a value is not positive.
    public static func geometricMean(_ values: [Double]) -> Double? {
        guard !values.isEmpty, values.allSatisfy({ $0 > 0 }) else { return nil }
        return exp(values.reduce(0) { $0 + log($1) } / Double(values.count))
    }
}

/// A ratio to the baseline: of the medians, with the quartiles of the ratios round by round.
public struct Ratio: Equatable, Sendable {
    public var value: Double
    public var low: Double
    public var high: Double

    /// `values` and `baseline` are by round. Rounds that only one of them has still count for the medians.
    public init?(of values: [Int: Double], to baseline: [Int: Double]) {
        guard let own = Distribution.median(Array(values.values)),
            let other = Distribution.median(Array(baseline.values)), own > 0, other > 0
        else { return nil }
        value = own / other
        let paired = values.compactMap { round, value in baseline[round].map { value / $0 } }
        low = min(Distribution.quantile(paired, 0.25) ?? value, value)
        high = max(Distribution.quantile(paired, 0.75) ?? value, value)
    }
}
