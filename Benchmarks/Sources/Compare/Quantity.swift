import Foundation

/// Numbers as a person reads them.
public enum Quantity {
    public static func seconds(_ seconds: Double) -> String {
        seconds < 0.1 ? String(format: "%.1f ms", seconds * 1000) : String(format: "%.2f s", seconds)
    }

    public static func nanoseconds(_ nanoseconds: Double) -> String {
        nanoseconds < 10_000
            ? String(format: "%.0f ns", nanoseconds)
            : nanoseconds < 10_000_000
                ? String(format: "%.0f µs", nanoseconds / 1000) : String(format: "%.0f ms", nanoseconds / 1_000_000)
    }

    public static func bytes(_ bytes: UInt64) -> String { Self.bytes(Double(bytes)) }

    public static func bytes(_ bytes: Double) -> String {
        bytes < 100 * 1_048_576
            ? String(format: "%.1f MiB", bytes / 1_048_576) : String(format: "%.0f MiB", bytes / 1_048_576)
    }

    public static func ratio(_ ratio: Double) -> String {
        ratio < 10 ? String(format: "%.2f", ratio) : String(format: "%.0f", ratio)
    }

    public static func of(_ metric: Metric, _ value: Double) -> String {
        switch metric {
        case .time, .processor: seconds(value)
        case .peak, .last: bytes(value)
        case .faults: String(format: "%.0f", value)
        }
    }
}
