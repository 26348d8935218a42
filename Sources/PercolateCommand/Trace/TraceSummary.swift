/// What happened how often, how much of it, and how long it took.
struct TraceSummary {
    private struct Row {
        var count: UInt64 = 0
        var amounts: [UInt64] = []
        var durations = DurationHistogram()
    }

    /// The rows in the order in which they are printed, and what their amounts count.
    private enum Subject: Int, CaseIterable {
        case vector, operation, stopped, faulted, move, localClose, fencedClose, held, fallback, abort
        case refill, drain, steal, spanAllocate, spanFree, release

        var name: String {
            switch self {
            case .vector: "vectors"
            case .operation: "operations"
            case .stopped: "compares that stopped a vector"
            case .faulted: "operations that faulted"
            case .move: "moves in one section"
            case .localClose: "gates closed on their own cpu"
            case .fencedClose: "gates closed by a fence"
            case .held: "gates held closed"
            case .fallback: "operations that became vectors"
            case .abort: "aborted sections"
            case .refill: "refills"
            case .drain: "drains"
            case .steal: "steals"
            case .spanAllocate: "spans taken"
            case .spanFree: "spans given back"
            case .release: "releases to the system"
            }
        }

        var units: [String] {
            switch self {
            case .move: ["pointers"]
            case .refill, .drain: ["blocks", "bytes"]
            case .steal: ["blocks"]
            case .spanAllocate, .spanFree: ["pages"]
            case .release: ["bytes"]
            default: []
            }
        }
    }

    private struct GateOfProcess: Hashable {
        let process: Int32
        let gate: UInt64
    }

    private var rows: [Subject: Row] = [:]
    /// When each closed gate was closed.
    private var closed: [GateOfProcess: UInt64] = [:]

    mutating func add(_ sample: ProbeSample, _ event: AllocatorEvent) {
        switch event {
        case .vectorBegin: break
        case .vectorEnd(_, _, let nanoseconds): count(.vector, took: nanoseconds)
        case .operation(let operation):
            count(.operation)
            if operation.outcome == .stops { count(.stopped) }
            if operation.outcome == .faulted { count(.faulted) }
        case .move(_, _, let pointers): count(.move, pointers)
        case .gateClose(_, let gate, let fence):
            closed[GateOfProcess(process: sample.process, gate: gate)] = sample.time
            if let fence { count(.fencedClose, took: fence) } else { count(.localClose) }
        case .gateOpen(_, let gate):
            if let start = closed.removeValue(forKey: GateOfProcess(process: sample.process, gate: gate)) {
                count(.held, took: sample.time - min(start, sample.time))
            }
        case .fallback: count(.fallback)
        case .abort: count(.abort)
        case .refill(_, let size, let blocks): count(.refill, blocks, blocks &* size)
        case .drain(_, let size, let blocks): count(.drain, blocks, blocks &* size)
        case .steal(_, _, let blocks): count(.steal, blocks)
        case .spanAllocate(_, let pages, _): count(.spanAllocate, pages)
        case .spanFree(_, let pages, _): count(.spanFree, pages)
        case .release(_, let bytes): count(.release, bytes)
        }
    }

    private mutating func count(_ subject: Subject, _ amounts: UInt64..., took duration: UInt64? = nil) {
        var row = rows[subject] ?? Row()
        row.count += 1
        if row.amounts.isEmpty { row.amounts = amounts.map { _ in 0 } }
        for (place, amount) in amounts.enumerated() { row.amounts[place] &+= amount }
        if let duration { row.durations.add(duration) }
        rows[subject] = row
    }

    /// A table with a line for each subject that there was, or one line that says that there was
    /// none.
    var text: String {
        guard !rows.isEmpty else { return "no events\n" }
        var lines = [["", "count", "total", "p50", "p90", "p99", "largest", ""]]
        for subject in Subject.allCases {
            guard let row = rows[subject] else { continue }
            var line = [subject.name, "\(row.count)"]
            if row.durations.count > 0 {
                line += ([row.durations.total] + [50, 90, 99].map(row.durations.percentile) + [row.durations.largest])
                    .map(EventText.duration)
            } else {
                line += Array(repeating: "", count: 5)
            }
            line.append(zip(row.amounts, subject.units).map { "\($0) \($1)" }.joined(separator: ", "))
            lines.append(line)
        }
        let widths = (0..<lines[0].count).map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let cells = line.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 || column == line.count - 1 ? cell + space : space + cell
            }
            let text = cells.joined(separator: "  ")
            return text[..<(text.lastIndex { $0 != " " }.map { text.index(after: $0) } ?? text.startIndex)] + "\n"
        }.joined()
    }
}
