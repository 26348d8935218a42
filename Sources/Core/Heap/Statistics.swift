import CPercolate
import Synchronization

/// Statistics and the profile of this process's heap, written on request and at the end of the
/// process.
extension Heap {
    /// What is needed at the end of the process, and kept from its start.
    struct ExitTexts: ~Copyable {
        /// A duplicate of standard error, made at start where the statistics go there: programs
        /// close theirs before. Where they go to a file, no descriptor is kept: programs count
        /// those that they have. 0 for none.
        var errors: Int32
        /// The program's name, as it was at start: a title may be written over it as well. Ends in
        /// a zero byte once it is set.
        var programName: TextBuffer<72>
        var statisticsPath: TextPage
        var profilePath: TextPage
        var temporaryPath: WholeFile.TemporaryPath
        /// What is written from: a stack may have no room for a page. Of whoever took it first.
        let isPageTaken: Atomic<Bool>
        var page: TextPage
    }

    private static var texts: UnsafeMutablePointer<ExitTexts> {
        pinned(&heapState.pointee.exitTexts)
    }

    private static var statisticsDescriptor: Int32 {
        texts.pointee.errors > 0 ? texts.pointee.errors : 2
    }
    private static var statisticsFile: ExitFile { exitFile(pinned(&texts.pointee.statisticsPath)) }
    private static var profileFile: ExitFile { exitFile(pinned(&texts.pointee.profilePath)) }
    private static var wholeFile: WholeFile {
        WholeFile(temporaryPath: pinned(&texts.pointee.temporaryPath))
    }

    private static func exitFile(_ path: UnsafeMutablePointer<TextPage>) -> ExitFile {
        ExitFile(path: path, file: wholeFile)
    }

    /// Keeps what the options say of statistics, at start.
    static func keepStatisticsTarget() {
        guard let path = options.statistics else { return }
        texts.pointee.programName.truncate(to: 0)
        texts.pointee.programName.append(cString: percolate_program_name(), limit: 64)
        texts.pointee.programName.append(byte: 0)
        statisticsFile.keep(path: path, count: options.statisticsLength)
        guard options.statisticsLength == 0 else { return }
        let duplicate = percolate_duplicate(2, 100)
        if duplicate >= 0 { texts.pointee.errors = Int32(duplicate) }
    }

    /// What is shown of this process.
    private struct Own: StatisticsSource {
        var name: UnsafePointer<CChar> {
            guard texts.pointee.programName.count > 0 else { return percolate_program_name() }
            return TextBuffer<72>.bytes(of: pinned(&texts.pointee.programName))
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

    /// Calls `body` with a page that nobody else uses.
    private static func withPage(_ body: (UnsafeMutablePointer<TextPage>) -> Int) -> Int {
        guard !texts.pointee.isPageTaken.exchange(true, ordering: .acquiring) else {
            return withPageOfStack(body)
        }
        defer { texts.pointee.isPageTaken.store(false, ordering: .releasing) }
        return body(pinned(&texts.pointee.page))
    }

    /// For who interrupted the owner of the page, or is beside it.
    @inline(never)
    private static func withPageOfStack(_ body: (UnsafeMutablePointer<TextPage>) -> Int) -> Int {
        var page = TextPage()
        return withUnsafeMutablePointer(to: &page) { body($0) }
    }

    /// Hands the statistics to `take`. 0, or the error number of its first failure.
    static func writeStatistics(
        as format: StatisticsFormat, _ take: TextSink.Take, _ context: UnsafeMutableRawPointer?
    ) -> Int {
        withPage { page in
            var text = StatisticsText(Own(), to: TextSink(page: page, take, context))
            return text.write(format)
        }
    }

    /// Writes the statistics to `descriptor`. 0, or an error number.
    static func writeStatistics(as format: StatisticsFormat, to descriptor: Int32) -> Int {
        writeStatistics(as: format, TextSink.toDescriptor, UnsafeMutableRawPointer(bitPattern: Int(descriptor)))
    }

    /// At the end of the process: writes the statistics where the options say. Not in a vfork
    /// child, whose memory is its parent's.
    static func writeStatisticsAtExit() {
        guard options.statistics != nil, !FrontEnd.isSuspended else { return }
        sayUnservedOptions()
        guard options.statisticsLength > 0 else {
            _ = writeStatistics(as: options.statisticsFormat, to: statisticsDescriptor)
            return
        }
        statisticsFile.write("statistics", mainProcess: options.mainProcess, errors: statisticsDescriptor) {
            writeStatistics(as: options.statisticsFormat, to: $0)
        }
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

    /// Keeps what the options say of the profile, at start.
    static func keepProfileTarget() {
        if let path = options.profile { profileFile.keep(path: path, count: options.profileLength) }
    }

    /// At the end of the process: writes the heap profile where the options say. Not in a vfork
    /// child.
    static func writeProfileAtExit() {
        guard options.profile != nil else { return }
        profileFile.write("the heap profile", mainProcess: options.mainProcess, errors: 2) { descriptor in
            withPage { ProfileText.write(.pprof, to: descriptor, page: $0) }
        }
    }

    /// Writes the heap profile to a file, in the format of jemalloc. 0, or an error number.
    static func writeProfile(to path: UnsafePointer<CChar>) -> Int {
        wholeFile.write(to: path) { descriptor in
            withPage { ProfileText.write(.jemalloc, to: descriptor, page: $0) }
        }
    }
}
