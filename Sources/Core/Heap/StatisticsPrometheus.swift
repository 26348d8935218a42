import CPercolate

/// Statistics in the text format of Prometheus.
extension StatisticsText {
    mutating func writePrometheus() {
        sink.append(
            "# HELP percolate_info How the heap runs.\n# TYPE percolate_info gauge\npercolate_info{process_name=\""
        )
        appendPlainName()
        sink.append("\",mode=\"")
        appendRun("\",index=\"", "\",rseq=\"", "\"")
        sink.append(process.can_fence != 0 ? ",membarrier=\"true\"" : ",membarrier=\"false\"")
        sink.append(
            source.servesMalloc ? ",serves_malloc=\"true\"} 1\n" : ",serves_malloc=\"false\"} 1\n")
        if isLimited {
            sink.append("# HELP percolate_memory_limit_bytes Bytes of pages that may be in use.\n")
            sink.append("# TYPE percolate_memory_limit_bytes gauge\npercolate_memory_limit_bytes ")
            sink.append(process.memory_limit)
            sink.append("\n")
        }
        var number = 0
        while let figure = percolate_process_figure(number) {
            appendHead("percolate_", figure)
            appendMetric("percolate_", figure)
            sink.append(" ")
            sink.append(Self.value(figure, of: &process))
            sink.append("\n")
            number &+= 1
        }
        appendSamples(percolate_class_figures.self)
        appendSamples(percolate_cpu_figures.self)
    }

    /// Each figure but the first, which is the label, of all records.
    private mutating func appendSamples<Record: StatisticsRecord>(_ type: Record.Type) {
        guard let label = Record.figure(0) else { return }
        var number = 1
        while let figure = Record.figure(number) {
            appendHead(Record.metric, figure)
            for position in 0..<Record.count(in: source) {
                var record = Record.read(position, from: &source)
                guard record.isShown else { continue }
                appendMetric(Record.metric, figure)
                sink.append("{")
                sink.append(Record.label)
                sink.append("=\"")
                sink.append(Self.value(label, of: &record))
                sink.append("\"} ")
                sink.append(Self.value(figure, of: &record))
                sink.append("\n")
            }
            number &+= 1
        }
    }

    private mutating func appendHead(
        _ prefix: StaticString, _ figure: UnsafePointer<percolate_figure>
    ) {
        sink.append("# HELP ")
        appendMetric(prefix, figure)
        sink.append(" ")
        sink.append(cString: percolate_figure_help(figure))
        sink.append("\n# TYPE ")
        appendMetric(prefix, figure)
        sink.append(Self.isCounter(figure) ? " counter\n" : " gauge\n")
    }

    /// The names of counters end in `_total`.
    private mutating func appendMetric(
        _ prefix: StaticString, _ figure: UnsafePointer<percolate_figure>
    ) {
        sink.append(prefix)
        append(name: figure)
        if Self.isCounter(figure) { sink.append("_total") }
    }

    private static func isCounter(_ figure: UnsafePointer<percolate_figure>) -> Bool {
        figure.pointee.kind == UInt16(PERCOLATE_COUNTER.rawValue)
    }
}
