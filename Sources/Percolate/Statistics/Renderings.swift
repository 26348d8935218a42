extension HeapStatistics: CustomStringConvertible {
    /// Lines `name value` for the process, then a table of size classes and one of CPUs. For people.
    public var description: String {
        var lines = ["percolate statistics", "process_id \(processID)"]
        lines += ["mode \(mode.rawValue)", "index \(index.rawValue)", "rseq \(registration.rawValue)"]
        lines += ["membarrier \(canFence ? "yes" : "no")", "serves_malloc \(servesMalloc ? "yes" : "no")"]
        lines.append("memory_limit_bytes \(memoryLimit.map(String.init) ?? "none")")
        lines += Process.figures.map { "\($0.name) \(process[keyPath: $0.path])" }
        lines += Self.table(sizeClasses) + Self.table(cpus)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func table<Record: FigureRecord>(_ records: [Record]) -> [String] {
        let names = Record.figures.map(\.name)
        return ["", names.joined(separator: " ")]
            + records.map { record in
                Record.figures.map { figure in
                    let value = String(record[keyPath: figure.path])
                    return String(repeating: " ", count: max(0, figure.name.count - value.count)) + value
                }.joined(separator: " ")
            }
    }

    /// One JSON object, with the names that `Codable` uses.
    public var json: String {
        let limit = memoryLimit.map { ",\"memory_limit_bytes\":\($0)" } ?? ""
        return """
            {"process_id":\(processID),"mode":"\(mode.rawValue)","index":"\(index.rawValue)",\
            "rseq":"\(registration.rawValue)","membarrier":\(canFence),"serves_malloc":\(servesMalloc)\(limit),\
            "process":\(Self.object(process)),\
            "size_classes":[\(sizeClasses.map(Self.object).joined(separator: ","))],\
            "cpus":[\(cpus.map(Self.object).joined(separator: ","))]}
            """
    }

    private static func object<Record: FigureRecord>(_ record: Record) -> String {
        "{" + Record.figures.map { "\"\($0.name)\":\(record[keyPath: $0.path])" }.joined(separator: ",") + "}"
    }

    /// The text format that Prometheus reads: figures of size classes have the label `size`, those of CPUs the label `cpu`, and the
    /// names of counters end in `_total`.
    public var prometheus: String {
        var text = """
            # HELP percolate_info How the heap runs.
            # TYPE percolate_info gauge
            percolate_info{mode="\(mode.rawValue)",index="\(index.rawValue)",rseq="\(registration.rawValue)",\
            membarrier="\(canFence)",serves_malloc="\(servesMalloc)"} 1

            """
        if let memoryLimit {
            text += Self.head("percolate_memory_limit_bytes", "gauge", "Bytes of pages that may be in use.")
            text += "percolate_memory_limit_bytes \(memoryLimit)\n"
        }
        text += Self.metrics("percolate_", [process], Process.figures) { _ in "" }
        text += Self.metrics("percolate_size_class_", sizeClasses, Array(SizeClass.figures.dropFirst())) {
            "{size=\"\($0.blockBytes)\"}"
        }
        text += Self.metrics("percolate_cpu_", cpus, Array(CPU.figures.dropFirst())) { "{cpu=\"\($0.index)\"}" }
        return text
    }

    private static func metrics<Record>(
        _ prefix: String, _ records: [Record], _ figures: [Figure<Record>], label: (Record) -> String
    ) -> String {
        var text = ""
        guard !records.isEmpty else { return text }
        for figure in figures {
            let name = prefix + figure.name + (figure.kind == .counter ? "_total" : "")
            text += head(name, figure.kind.rawValue, figure.help)
            for record in records { text += "\(name)\(label(record)) \(record[keyPath: figure.path])\n" }
        }
        return text
    }

    private static func head(_ name: String, _ kind: String, _ help: String) -> String {
        "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }
}
