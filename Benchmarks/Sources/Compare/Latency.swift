/// How long the calls of one function took, as a workload timed each of them.
public struct Latency: Codable, Equatable, Sendable {
    public static let titles = ["p50", "p99", "p99.9", "p99.99", "p99.999", "worst"]

    /// The function.
    public var latency: String
    /// Calls.
    public var count: Int
    /// The quantiles of `titles`.
    public var nanoseconds: [Double]

    public init(latency: String, count: Int, nanoseconds: [Double]) {
        self.latency = latency
        self.count = count
        self.nanoseconds = nanoseconds
    }
}

/// The latencies of one function in one workload, under one peer: the median of each quantile over
/// the rounds.
public struct LatencyRow: Equatable, Sendable {
    public var workload: String
    public var function: String
    public var peer: String
    public var nanoseconds: [Double]
}

extension Report {
    /// A row for each workload that timed its calls, each function, and each peer.
    public var latencies: [LatencyRow] {
        rows.flatMap { row in
            let all = row.measurements.values.joined().flatMap { $0.latencies ?? [] }
            return Set(all.map(\.latency)).sorted().flatMap { function in
                peers.compactMap { peer in
                    let runs = (row.measurements[peer.name] ?? []).flatMap { $0.latencies ?? [] }
                        .filter { $0.latency == function && $0.nanoseconds.count == Latency.titles.count }
                    let medians = Latency.titles.indices.compactMap { index in
                        Distribution.median(runs.map { $0.nanoseconds[index] })
                    }
                    return medians.isEmpty
                        ? nil
                        : LatencyRow(workload: row.name, function: function, peer: peer.name, nanoseconds: medians)
                }
            }
        }
    }
}
