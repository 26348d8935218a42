import CPercolate

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

/// Writes statistics, and allocates nothing.
struct StatisticsText<Source: StatisticsSource> {
    var source: Source
    var sink: TextSink
    var process: percolate_process_figures

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

    mutating func append(name figure: UnsafePointer<percolate_figure>) {
        sink.append(cString: percolate_figure_name(figure))
    }

    static func value<Record>(
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
    mutating func appendRun(
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

    var isLimited: Bool { process.memory_limit != UInt64.max }

    /// What would end a string of one of the formats, or is not ASCII, becomes an underscore.
    mutating func appendPlainName() {
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
}
