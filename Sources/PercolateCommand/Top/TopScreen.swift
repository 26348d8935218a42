import Percolate

/// What `top` shows: the statistics now, and how they changed.
struct TopScreen {
    /// One reading.
    struct Reading {
        var statistics: HeapStatistics
        /// Nanoseconds of CLOCK_MONOTONIC.
        var time: UInt64
    }

    /// A place in the program that allocates, and what it holds.
    struct SiteLine {
        var name: String
        var liveBytes: Double
        /// Change since sampling began to be looked at.
        var growth: Double
    }

    /// The oldest first.
    private(set) var readings: [Reading] = []
    var sites: [SiteLine] = []
    var samplingRate: UInt64 = 0
    var notice = ""

    private static let mostReadings = 1000

    mutating func add(_ reading: Reading) {
        readings.append(reading)
        if readings.count > Self.mostReadings { readings.removeFirst() }
    }

    func lines(columns: Int, rows: Int) -> [StyledLine] {
        guard let now = readings.last else { return [] }
        let statistics = now.statistics
        let process = statistics.process
        var lines = [
            StyledLine(
                "percolate top   \(statistics.processName), process \(statistics.processID)   mode \(statistics.mode.rawValue), "
                    + "caches by \(statistics.index.rawValue)", .bold),
            StyledLine(
                "resident \(ByteCount(process.residentBytes))   application \(ByteCount(process.applicationBytes))   "
                    + "cached \(ByteCount(process.cachedBytes))   free in spans \(ByteCount(process.freeBytes))   "
                    + "free pages \(ByteCount(process.freeResidentBytes))   metadata \(ByteCount(process.metadataBytes))"
            ),
            StyledLine(rates(since: readings.dropLast().last)),
            StyledLine(""),
        ]
        lines += chart(columns: columns)
        let rest = max(rows - lines.count - 2, 4)
        let siteRows = sites.isEmpty ? 0 : min(sites.count + 2, rest / 2)
        let cpuRows = min(statistics.cpus.count + 2, max(rest - siteRows, 4) / 2)
        lines += classTable(rows: max(rest - siteRows - cpuRows, 3))
        lines += cpuTable(rows: cpuRows)
        lines += siteTable(rows: siteRows)
        let sampling =
            samplingRate == 0
            ? "s samples sites" : "s stops sampling (1 in \(ByteCount(Double(samplingRate))))"
        lines.append(
            StyledLine(notice.isEmpty ? "q quits   t trims   \(sampling)" : notice, .faint))
        return lines
    }

    private func rate(
        _ name: String, _ path: KeyPath<HeapStatistics.Process, Int>, since before: Reading?
    ) -> String {
        guard let before, let now = readings.last, now.time > before.time else {
            return "\(name) -"
        }
        let change =
            now.statistics.process[keyPath: path] - before.statistics.process[keyPath: path]
        let perSecond = Double(change) * 1e9 / Double(now.time - before.time)
        return path == \.releasedBytes
            ? "\(name) \(ByteCount(perSecond))/s" : "\(name) \(Int(perSecond.rounded()))/s"
    }

    private func rates(since before: Reading?) -> String {
        [
            rate("refills", \.refills, since: before), rate("drains", \.drains, since: before),
            rate("steals", \.steals, since: before),
            rate("large", \.largeAllocations, since: before),
            rate("released", \.releasedBytes, since: before),
        ].joined(separator: "   ")
    }

    /// Resident memory over time, a column a reading, the newest at the right.
    private func chart(columns: Int) -> [StyledLine] {
        let bars = Array(" ▁▂▃▄▅▆▇█")
        let width = max(columns - 12, 8)
        let values = readings.suffix(width).map(\.statistics.process.residentBytes)
        let most = max(values.max() ?? 1, 1)
        let height = 4
        return (0..<height).map { row in
            let text = values.map { value -> Character in
                let eighths = Int((Double(value) / Double(most) * Double(height * 8)).rounded())
                return bars[min(max(eighths - (height - 1 - row) * 8, 0), 8)]
            }
            let label = row == 0 ? ByteCount(most).description : row == height - 1 ? "resident" : ""
            return StyledLine(Self.right(label, 10) + " " + Self.right(String(text), width))
        }
    }

    private func classTable(rows: Int) -> [StyledLine] {
        guard let statistics = readings.last?.statistics else { return [] }
        let classes = statistics.sizeClasses.sorted {
            ($0.spans * $0.spanBytes, $0.blockBytes) > ($1.spans * $1.spanBytes, $1.blockBytes)
        }
        let head = StyledLine(
            " size class       spans        used  used blocks        free      cached", .bold)
        let large = statistics.process.largeBytes
        var lines = classes.map { line in
            StyledLine(
                Self.right(String(line.blockBytes), 11)
                    + Self.right(ByteCount(line.spans * line.spanBytes).description, 12)
                    + Self.right(ByteCount(line.usedBlocks * line.blockBytes).description, 12)
                    + Self.right(String(line.usedBlocks), 13)
                    + Self.right(ByteCount(line.freeBlocks * line.blockBytes).description, 12)
                    + Self.right(ByteCount(line.cachedBlocks * line.blockBytes).description, 12))
        }
        if large > 0 {
            let blocks = statistics.process.largeAllocations - statistics.process.largeFrees
            let line = StyledLine(
                Self.right("large", 11) + Self.right(ByteCount(large).description, 12)
                    + Self.right(ByteCount(large).description, 12) + Self.right(String(blocks), 13))
            let position = classes.firstIndex { $0.spans * $0.spanBytes < large } ?? classes.count
            lines.insert(line, at: position)
        }
        return [head] + lines.prefix(rows - 1)
    }

    private func cpuTable(rows: Int) -> [StyledLine] {
        guard rows > 1, let now = readings.last else { return [] }
        let before = readings.dropLast().last
        let earlier = Dictionary(
            (before?.statistics.cpus ?? []).map { ($0.index, $0) },
            uniquingKeysWith: { first, _ in first })
        let seconds = before.map { Double(now.time - $0.time) / 1e9 } ?? 0
        func perSecond(_ cpu: HeapStatistics.CPU, _ path: KeyPath<HeapStatistics.CPU, Int>)
            -> String
        {
            guard seconds > 0, let before = earlier[cpu.index] else { return "-" }
            return String(
                Int((Double(cpu[keyPath: path] - before[keyPath: path]) / seconds).rounded()))
        }
        let cpus = now.statistics.cpus.sorted {
            ($0.cachedBytes, $1.index) > ($1.cachedBytes, $0.index)
        }
        let head = StyledLine(
            "        cpu      cached      budget    refills/s     drains/s     steals/s", .bold)
        return [head]
            + cpus.prefix(rows - 1).map { cpu in
                StyledLine(
                    Self.right(String(cpu.index), 11)
                        + Self.right(ByteCount(cpu.cachedBytes).description, 12)
                        + Self.right(ByteCount(cpu.budgetBytes).description, 12)
                        + Self.right(perSecond(cpu, \.refills), 13)
                        + Self.right(perSecond(cpu, \.drains), 13)
                        + Self.right(perSecond(cpu, \.steals), 13))
            }
    }

    private func siteTable(rows: Int) -> [StyledLine] {
        guard rows > 1 else { return [] }
        let head = StyledLine("       live       growth  site", .bold)
        return [head]
            + sites.prefix(rows - 1).map { site in
                StyledLine(
                    Self.right(ByteCount(site.liveBytes).description, 11)
                        + Self.right(
                            (site.growth > 0 ? "+" : "") + ByteCount(site.growth).description, 13)
                        + "  "
                        + site.name)
            }
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
