import CPercolate
import Synchronization

/// Statistics of this process's heap, written on request and at the end of the process.
extension Heap {
    /// A duplicate of standard error, made at start where the statistics go there: programs close theirs before. Where they go to
    /// a file, no descriptor is kept: programs count those that they have.
    nonisolated(unsafe) private static var statisticsDescriptor: Int32 = 2

    /// The path: programs write their title over their environment.
    nonisolated(unsafe) private static var statisticsPath = TextPage()

    /// The program's name, as it was at start: a title may be written over it as well. Ends in a
    /// zero byte once it is set.
    nonisolated(unsafe) private static var programName = TextBuffer<72>()

    /// Keeps what the options say of statistics, at start.
    static func keepStatisticsTarget() {
        guard let path = options.statistics else { return }
        programName.truncate(to: 0)
        statisticsPath.truncate(to: 0)
        programName.append(cString: percolate_program_name(), limit: 64)
        programName.append(byte: 0)
        statisticsPath.append(cString: path, limit: min(options.statisticsLength, 3800))
        guard options.statisticsLength == 0 else { return }
        let duplicate = percolate_duplicate(2, 100)
        if duplicate >= 0 { statisticsDescriptor = Int32(duplicate) }
    }

    /// What is shown of this process.
    private struct Own: StatisticsSource {
        var name: UnsafePointer<CChar> {
            guard programName.count > 0 else { return percolate_program_name() }
            return TextBuffer<72>.bytes(of: pointer(addressOf(&programName)))
        }
        var servesMalloc: Bool { percolate_serves_malloc() }
        var process: percolate_process_figures { processFigures() }
        var classCount: Int { figures.classCount }
        var cpuCount: Int { figures.cpuCount }

        mutating func sizeClass(_ position: Int) -> percolate_class_figures {
            var reader = figures
            return reader.sizeClass(position &+ 1)
        }

        mutating func cpu(_ position: Int) -> percolate_cpu_figures {
            var reader = figures
            return reader.cpu(position)
        }
    }

    /// What statistics are written from: a stack may have no room for a page. Of whoever took it
    /// first.
    nonisolated(unsafe) private static var page = TextPage()
    private static let isPageTaken = Atomic<Bool>(false)

    /// Hands the statistics to `take`. 0, or the error number of its first failure.
    static func writeStatistics(
        as format: StatisticsFormat, _ take: TextSink.Take, _ context: UnsafeMutableRawPointer?
    ) -> Int {
        guard !isPageTaken.exchange(true, ordering: .acquiring) else {
            return writeStatisticsFromStack(as: format, take, context)
        }
        defer { isPageTaken.store(false, ordering: .releasing) }
        var text = StatisticsText(Own(), to: TextSink(page: pointer(addressOf(&page)), take, context))
        return text.write(format)
    }

    /// For who interrupted the owner of the page, or is beside it.
    @inline(never)
    private static func writeStatisticsFromStack(
        as format: StatisticsFormat, _ take: TextSink.Take, _ context: UnsafeMutableRawPointer?
    ) -> Int {
        renderStatistics(Own(), as: format, take, context)
    }

    /// Writes the statistics to `descriptor`. 0, or an error number.
    static func writeStatistics(as format: StatisticsFormat, to descriptor: Int32) -> Int {
        writeStatistics(as: format, TextSink.toDescriptor, UnsafeMutableRawPointer(bitPattern: Int(descriptor)))
    }

    /// At the end of the process: writes the statistics where the options say. Not in a vfork
    /// child, whose memory is its parent's.
    static func writeStatisticsAtExit() {
        guard options.statistics != nil, FrontEnd.suspensions.load(ordering: .relaxed) == 0 else { return }
        sayUnservedOptions()
        guard options.statisticsLength > 0 else {
            _ = writeStatistics(as: options.statisticsFormat, to: statisticsDescriptor)
            return
        }
        let length = statisticsPath.count
        if percolate_getpid() != options.mainProcess {
            statisticsPath.append(".")
            statisticsPath.append(percolate_getpid())
        }
        let error = writeStatisticsFile()
        if error != 0 { complainOfStatistics(error) }
        statisticsPath.truncate(to: length)
    }

    /// What MALLOC_CONF says and nothing here does.
    private static func sayUnservedOptions() {
        guard let unserved = percolate_unserved_options(), unserved[0] != 0 else { return }
        var line = TextLine()
        line.append("percolate: MALLOC_CONF: without a counterpart: ")
        line.append(cString: unserved, limit: 400)
        line.append("\n")
        _ = line.write(to: statisticsDescriptor)
    }

    /// A file appears whole or not at all: the statistics are written under another name beside it,
    /// which then takes the place of the path. What is no ordinary file, and what lies in a folder
    /// where nothing can be made, is written as it is.
    private static func writeStatisticsFile() -> Int {
        let length = statisticsPath.count
        statisticsPath.append(byte: 0)
        let path = TextPage.bytes(of: pointer(addressOf(&statisticsPath)))
        let kind = percolate_file_kind(path)
        var error = Int(EACCES)
        if kind == -Int(ENOENT) || kind == Int(S_IFREG) {
            error = writeStatistics(beside: path)
        }
        if error == Int(EACCES) || error == Int(EROFS) || error == Int(EPERM) {
            error = writeStatistics(open: path, O_TRUNC)
        }
        statisticsPath.truncate(to: length)
        return error
    }

    /// The name of the file beside the path. Not on the stack, which may have no room for it.
    nonisolated(unsafe) private static var temporaryPath = TextPage()

    private static func writeStatistics(beside path: UnsafePointer<CChar>) -> Int {
        temporaryPath.truncate(to: 0)
        temporaryPath.append(cString: path, limit: 4000)
        temporaryPath.append(".partial")
        temporaryPath.append(byte: 0)
        let name = TextPage.bytes(of: pointer(addressOf(&temporaryPath)))
        var error = writeStatistics(open: name, O_TRUNC | O_NOFOLLOW)
        if error == 0 { error = 0 &- Int(percolate_rename(name, path)) }
        if error != 0 { _ = percolate_unlink(name) }
        return error
    }

    private static func writeStatistics(open path: UnsafePointer<CChar>, _ flags: Int32) -> Int {
        let descriptor = percolate_open(path, O_WRONLY | O_CREAT | flags, 0o644)
        guard descriptor >= 0 else { return 0 &- Int(descriptor) }
        defer { _ = percolate_close(Int32(descriptor)) }
        return writeStatistics(as: options.statisticsFormat, to: Int32(descriptor))
    }

    private static func complainOfStatistics(_ error: Int) {
        var line = TextLine()
        line.append("percolate: cannot write statistics to ")
        line.append(statisticsPath)
        line.truncate(to: 400)
        line.append(": ")
        if let text = percolate_error_text(Int32(truncatingIfNeeded: error)) {
            line.append(cString: text, limit: 80)
        } else {
            line.append("error ")
            line.append(error)
        }
        line.append("\n")
        _ = line.write(to: statisticsDescriptor)
    }
}
