import CPercolate

/// Statistics to be shown: of this process's heap as it is, or a value that was collected before.
public protocol StatisticsSource {
    /// The program's name.
    var name: UnsafePointer<CChar> { get }
    /// Whether the heap serves the process's `malloc`.
    var servesMalloc: Bool { get }
    var process: percolate_process_figures { get }
    /// Size classes without spans may be among them: they are left out.
    var classCount: Int { get }
    mutating func sizeClass(_ position: Int) -> percolate_class_figures
    /// Indexes that have no caches and counted nothing may be among them: they are left out.
    var cpuCount: Int { get }
    mutating func cpu(_ position: Int) -> percolate_cpu_figures
}

/// Hands statistics to `take` as text. For callers on ordinary stacks: a page of it is used.
///
/// - Returns: 0, or the error number of the first call of `take` that failed.
@discardableResult
public func renderStatistics(
    _ source: some StatisticsSource, as format: StatisticsFormat,
    _ take: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>, Int) -> Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    var page = TextPage()
    return withUnsafeMutablePointer(to: &page) { page in
        var text = StatisticsText(source, to: TextSink(page: page, take, context))
        return text.write(format)
    }
}

/// A record of named figures.
private protocol NamedFigures {
    static func figure(_ number: Int) -> UnsafePointer<percolate_figure>?
}

extension percolate_process_figures: NamedFigures {
    fileprivate static func figure(_ number: Int) -> UnsafePointer<percolate_figure>? {
        percolate_process_figure(number)
    }
}

/// A record of which statistics have many: how it is read, and what it is called.
private protocol StatisticsRecord: NamedFigures {
    static func count(in source: some StatisticsSource) -> Int
    static func read(_ position: Int, from source: inout some StatisticsSource) -> Self
    var isShown: Bool { get }
    /// How a row of XML begins.
    static var element: StaticString { get }
    /// In front of the name of each figure, and the label that holds the value of the first one, in
    /// the format of Prometheus.
    static var metric: StaticString { get }
    static var label: StaticString { get }
}

extension percolate_class_figures: StatisticsRecord {
    fileprivate static func figure(_ number: Int) -> UnsafePointer<percolate_figure>? {
        percolate_class_figure(number)
    }
    fileprivate static func count(in source: some StatisticsSource) -> Int { source.classCount }
    fileprivate static func read(_ position: Int, from source: inout some StatisticsSource) -> Self {
        source.sizeClass(position)
    }
    fileprivate var isShown: Bool { spans > 0 }
    fileprivate static var element: StaticString { "<size_class" }
    fileprivate static var metric: StaticString { "percolate_size_class_" }
    fileprivate static var label: StaticString { "size" }
}

extension percolate_cpu_figures: StatisticsRecord {
    fileprivate static func figure(_ number: Int) -> UnsafePointer<percolate_figure>? {
        percolate_cpu_figure(number)
    }
    fileprivate static func count(in source: some StatisticsSource) -> Int { source.cpuCount }
    fileprivate static func read(_ position: Int, from source: inout some StatisticsSource) -> Self {
        source.cpu(position)
    }
    fileprivate var isShown: Bool { has_slab != 0 || direct_allocations != 0 || vectors_local != 0 }
    fileprivate static var element: StaticString { "<cpu" }
    fileprivate static var metric: StaticString { "percolate_cpu_" }
    fileprivate static var label: StaticString { "cpu" }
}

/// Writes statistics, and allocates nothing.
struct StatisticsText<Source: StatisticsSource> {
    private var source: Source
    private var sink: TextSink
    private var process: percolate_process_figures

    init(_ source: Source, to sink: TextSink) {
        self.source = source
        self.sink = sink
        process = source.process
    }

    /// 0, or the error number of the first write that failed.
    mutating func write(_ format: StatisticsFormat) -> Int {
        switch format {
        case .text: writeText()
        case .json: writeJSON()
        case .prometheus: writePrometheus()
        case .xml: writeXML()
        }
        sink.flush()
        return sink.error
    }

    // MARK: What every format is made of

    private mutating func append(name figure: UnsafePointer<percolate_figure>) {
        sink.append(cString: percolate_figure_name(figure))
    }

    private static func value<Record>(
        _ figure: UnsafePointer<percolate_figure>, of record: UnsafePointer<Record>
    ) -> UInt64 {
        UnsafeRawPointer(record).load(fromByteOffset: Int(figure.pointee.offset), as: UInt64.self)
    }

    /// What stands around the figures of a record.
    private struct Shape {
        var open: StaticString
        var separator: StaticString = ""
        var beforeName: StaticString = ""
        var afterName: StaticString
        var afterValue: StaticString = ""
        var close: StaticString
    }

    private static var jsonShape: Shape {
        Shape(open: "{", separator: ",", beforeName: "\"", afterName: "\":", close: "}")
    }

    private static func xmlShape(_ element: StaticString) -> Shape {
        Shape(open: element, beforeName: " ", afterName: "=\"", afterValue: "\"", close: "/>\n")
    }

    private mutating func append<Record: NamedFigures>(_ record: Record, _ shape: Shape) {
        var record = record
        var number = 0
        sink.append(shape.open)
        while let figure = Record.figure(number) {
            if number > 0 { sink.append(shape.separator) }
            sink.append(shape.beforeName)
            append(name: figure)
            sink.append(shape.afterName)
            sink.append(Self.value(figure, of: &record))
            sink.append(shape.afterValue)
            number &+= 1
        }
        sink.append(shape.close)
    }

    private mutating func appendAll<Record: StatisticsRecord>(
        _ type: Record.Type, _ shape: Shape, separator: StaticString = ""
    ) {
        var isFirst = true
        for position in 0..<Record.count(in: source) {
            let record = Record.read(position, from: &source)
            guard record.isShown else { continue }
            if !isFirst { sink.append(separator) }
            isFirst = false
            append(record, shape)
        }
    }

    /// How the heap runs, around each value what the format wants.
    private mutating func appendRun(
        _ index: StaticString, _ rseq: StaticString, _ end: StaticString
    ) {
        switch process.mode {
        case 0: sink.append("sections")
        case 1: sink.append("locked")
        default: sink.append("hardened")
        }
        sink.append(index)
        sink.append(process.index == 0 ? "cpu_id" : "mm_cid")
        sink.append(rseq)
        switch process.registration {
        case 0: sink.append("none")
        case 1: sink.append("glibc")
        default: sink.append("own")
        }
        sink.append(end)
    }

    private var isLimited: Bool { process.memory_limit != UInt64.max }

    /// What would end a string of one of the formats, or is not ASCII, becomes an underscore.
    private mutating func appendPlainName() {
        var position = 0
        while source.name[position] != 0, position < 256 {
            let byte = UInt8(bitPattern: source.name[position])
            let isPlain =
                byte >= 32 && byte < 127 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                && byte != UInt8(ascii: "<") && byte != UInt8(ascii: "&")
            sink.append(byte: isPlain ? byte : UInt8(ascii: "_"))
            position &+= 1
        }
    }

    // MARK: Text

    private mutating func writeText() {
        sink.append("percolate statistics\nprocess_id ")
        sink.append(process.process_id)
        sink.append("\nprocess_name ")
        sink.append(cString: source.name)
        sink.append("\nmode ")
        appendRun("\nindex ", "\nrseq ", "\n")
        sink.append(process.can_fence != 0 ? "membarrier yes\n" : "membarrier no\n")
        sink.append(source.servesMalloc ? "serves_malloc yes\n" : "serves_malloc no\n")
        sink.append("memory_limit_bytes ")
        if isLimited { sink.append(process.memory_limit) } else { sink.append("none") }
        append(process, Shape(open: "\n", afterName: " ", afterValue: "\n", close: ""))
        writeTable(percolate_class_figures.self)
        writeTable(percolate_cpu_figures.self)
    }

    private mutating func writeTable<Record: StatisticsRecord>(_ type: Record.Type) {
        var number = 0
        sink.append("\n")
        while let figure = Record.figure(number) {
            if number > 0 { sink.append(" ") }
            append(name: figure)
            number &+= 1
        }
        sink.append("\n")
        for position in 0..<Record.count(in: source) {
            var record = Record.read(position, from: &source)
            guard record.isShown else { continue }
            number = 0
            while let figure = Record.figure(number) {
                if number > 0 { sink.append(" ") }
                appendAligned(figure, Self.value(figure, of: &record))
                number &+= 1
            }
            sink.append("\n")
        }
    }

    /// To the right, below the figure's name.
    private mutating func appendAligned(_ figure: UnsafePointer<percolate_figure>, _ value: UInt64) {
        guard let name = percolate_figure_name(figure) else { return }
        var width = 0
        var rest = value
        while name[width] != 0 {
            if width > 0, rest == 0 { sink.append(" ") }
            rest /= 10
            width &+= 1
        }
        sink.append(value)
    }

    // MARK: JSON

    private mutating func writeJSON() {
        sink.append("{\"process_id\":")
        sink.append(process.process_id)
        sink.append(",\"process_name\":\"")
        appendPlainName()
        sink.append("\",\"mode\":\"")
        appendRun("\",\"index\":\"", "\",\"rseq\":\"", "")
        sink.append(process.can_fence != 0 ? "\",\"membarrier\":true" : "\",\"membarrier\":false")
        sink.append(source.servesMalloc ? ",\"serves_malloc\":true" : ",\"serves_malloc\":false")
        if isLimited {
            sink.append(",\"memory_limit_bytes\":")
            sink.append(process.memory_limit)
        }
        sink.append(",\"process\":")
        append(process, Self.jsonShape)
        sink.append(",\"size_classes\":[")
        appendAll(percolate_class_figures.self, Self.jsonShape, separator: ",")
        sink.append("],\"cpus\":[")
        appendAll(percolate_cpu_figures.self, Self.jsonShape, separator: ",")
        sink.append("]}\n")
    }

    // MARK: XML

    private mutating func writeXML() {
        sink.append("<run process_name=\"")
        appendPlainName()
        sink.append("\" mode=\"")
        appendRun("\" index=\"", "\" rseq=\"", "\"/>\n")
        append(process, Self.xmlShape("<process"))
        appendAll(percolate_class_figures.self, Self.xmlShape(percolate_class_figures.element))
        appendAll(percolate_cpu_figures.self, Self.xmlShape(percolate_cpu_figures.element))
    }

    // MARK: Prometheus

    private mutating func writePrometheus() {
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
