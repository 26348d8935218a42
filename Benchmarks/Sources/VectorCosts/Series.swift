import CPercolate
import Compare
import TextTable

/// Operations that are measured in turn, so that whatever slows the machine slows all of them.
struct Series {
    /// One operation, done `count` times by `run`.
    struct Row {
        var name: String
        var goal = ""
        var count: Int
        var run: (_ count: Int) -> Void
    }

    var title: String
    var rows: [Row]
    /// The rows that the others are compared with.
    var references: [String]
    /// What must be so right before and right after a measurement, or it is thrown away: whether the other thread runs, where it
    /// should. The argument is how many nanoseconds it may wait for it.
    var condition: (_ patience: UInt64) -> Bool = { _ in true }

    /// The table of `rounds` rounds: medians of nanoseconds for one operation, and ratios of them with the quartiles of the
    /// ratios round by round.
    func table(rounds: Int) -> String {
        var times = [[Int: Double]](repeating: [:], count: rows.count)
        for round in -1..<rounds {
            for (index, row) in rows.enumerated() {
                guard let nanoseconds = measure(row) else { continue }
                // The first round fills caches.
                if round >= 0 { times[index][round] = nanoseconds }
            }
        }
        let columns = references.map { name in (name, rows.firstIndex { $0.name == name }) }
        let table = TextTable<Int> { index in
            [
                Column(title: title, value: rows[index].name),
                Column(
                    title: "ns", value: Distribution.median(Array(times[index].values)).map(Self.number) ?? "-",
                    align: .right),
            ]
                + columns.map { name, reference in
                    Column(
                        title: "to \(name)",
                        value: reference.flatMap { Ratio(of: times[index], to: times[$0]) }.map(Self.cell) ?? "-",
                        align: .right)
                } + [Column(title: "goal", value: rows[index].goal)]
        }
        return table.string(for: Array(rows.indices), style: Style.psql) ?? ""
    }

    /// Nanoseconds for one operation, or nil where the condition did not hold in a number of tries.
    private func measure(_ row: Row) -> Double? {
        for _ in 0..<20 where condition(50_000_000) {
            let start = percolate_nanoseconds()
            row.run(row.count)
            let nanoseconds = percolate_nanoseconds() &- start
            if condition(5000) { return Double(nanoseconds) / Double(row.count) }
        }
        return nil
    }

    private static func number(_ nanoseconds: Double) -> String {
        nanoseconds < 100
            ? "\((nanoseconds * 10).rounded() / 10)" : "\(Int(nanoseconds.rounded()))"
    }

    private static func cell(_ ratio: Ratio) -> String {
        "\(Quantity.ratio(ratio.value)) (\(Quantity.ratio(ratio.low))-\(Quantity.ratio(ratio.high)))"
    }
}
