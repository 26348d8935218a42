/// Sets of rows that goals are stated for.
public enum Selection: String, CaseIterable, Sendable {
    case all, micro, threads, manyThreads, programs

    public var title: String {
        switch self {
        case .all: "all workloads"
        case .micro: "one thread"
        case .threads: "threads"
        case .manyThreads: "64 to 1000 threads"
        case .programs: "programs"
        }
    }

    public func contains(_ row: Row) -> Bool {
        switch self {
        case .all: true
        case .micro: row.group == .micro
        case .threads: row.group == .threads
        case .manyThreads: row.group == .threads && (64...1000).contains(row.threads)
        case .programs: row.group == .programs
        }
    }
}

extension Report {
    /// The geometric mean of a peer's ratios over the rows where both it and the baseline have a value.
    public func mean(_ metric: Metric, of peer: String, over selection: Selection) -> (value: Double, rows: Int)? {
        let ratios = rows.filter(selection.contains).compactMap { $0.ratio(metric, of: peer, to: baseline)?.value }
        return Distribution.geometricMean(ratios).map { ($0, ratios.count) }
    }

    /// The rows where a peer is worse than `limit` times the baseline, worst first.
    public func rowsAbove(_ limit: Double, _ metric: Metric, of peer: String) -> [(name: String, ratio: Double)] {
        rows.compactMap { row in row.ratio(metric, of: peer, to: baseline).map { (row.name, $0.value) } }
            .filter { $0.1 > limit }
            .sorted { $0.1 > $1.1 }
    }
}
