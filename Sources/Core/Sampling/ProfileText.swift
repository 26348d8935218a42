import CPercolate

/// The heap profile as text, with what the process has mapped behind it, so that tools find the
/// names of functions. Nothing is allocated.
///
/// The figures are the estimates themselves, which stand for all blocks: the header says that they
/// need no correction, in the way of each format.
struct ProfileText {
    enum Format {
        /// What gperftools writes and `go tool pprof` reads: live and total figures of each stack.
        case pprof
        /// What `prof.dump` of jemalloc writes and jeprof(1) reads: live figures of each stack.
        case jemalloc
    }

    private var sink: TextSink
    private let format: Format

    /// Writes it to `descriptor`. 0, or the error number of the first write that failed.
    static func write(_ format: Format, to descriptor: Int32, page: UnsafeMutablePointer<TextPage>) -> Int {
        let context = UnsafeMutableRawPointer(bitPattern: Int(descriptor))
        var text = ProfileText(sink: TextSink(page: page, TextSink.toDescriptor, context), format: format)
        text.writeSites()
        text.writeMappings()
        text.sink.flush()
        return text.sink.error
    }

    private struct Sum {
        var liveBlocks = 0.0
        var liveBytes = 0.0
        var totalBlocks = 0.0
        var totalBytes = 0.0

        mutating func add(_ site: percolate_sample_site) {
            liveBlocks += site.live_blocks
            liveBytes += site.live_bytes
            totalBlocks += site.total_blocks
            totalBytes += site.total_bytes
        }
    }

    private static var siteCount: UInt32 { UInt32(truncatingIfNeeded: sampled.site_count) }

    /// A copy that nobody changed meanwhile. Where its writer does not come to an end, as it is:
    /// its figures may then be off by one sample.
    private static func copy(_ number: UInt32) -> percolate_sample_site {
        let site = SampleTables.site(number)
        for _ in 0..<1000 {
            let before = percolate_operand_load(UInt64(UInt(bitPattern: site)), 4)
            let copy = site.pointee
            percolate_order_loads()
            let after = percolate_operand_load(UInt64(UInt(bitPattern: site)), 4)
            if before == after, before & 1 == 0 { return copy }
        }
        return site.pointee
    }

    private mutating func writeSites() {
        var whole = Sum()
        for number in 0..<Self.siteCount { whole.add(Self.copy(number)) }
        switch format {
        case .pprof:
            sink.append("heap profile: ")
            append(whole)
            sink.append(" @ heapprofile\n")
        case .jemalloc:
            sink.append("heap_v2/1\n")
            append(whole)
        }
        for number in 0..<Self.siteCount {
            let site = Self.copy(number)
            var sum = Sum()
            sum.add(site)
            guard format == .pprof ? sum.totalBlocks > 0 : sum.liveBlocks > 0 else { continue }
            if format == .pprof { append(sum) }
            appendFrames(site)
            if format == .jemalloc { append(sum) }
        }
    }

    private mutating func append(_ sum: Sum) {
        if format == .jemalloc { sink.append("  t*: ") }
        append(sum.liveBlocks, sum.liveBytes)
        sink.append(" [")
        // jemalloc's totals are those of `opt.prof_accum`, which is off.
        if format == .pprof { append(sum.totalBlocks, sum.totalBytes) } else { append(0, 0) }
        sink.append(format == .pprof ? "]" : "]\n")
    }

    private mutating func append(_ blocks: Double, _ bytes: Double) {
        sink.append(UInt64(max(blocks, 0) + 0.5))
        sink.append(": ")
        sink.append(UInt64(max(bytes, 0) + 0.5))
    }

    private mutating func appendFrames(_ site: percolate_sample_site) {
        sink.append(format == .pprof ? " @" : "@")
        for position in 0..<Int(site.depth) {
            sink.append(" ")
            sink.append(hexadecimal: UInt(SampleTables.frame(site.first_frame)[position]))
        }
        sink.append("\n")
    }

    /// Tools find the file and the offset of an address by this, as it is in proc(5).
    private mutating func writeMappings() {
        sink.append("\nMAPPED_LIBRARIES:\n")
        let path: StaticString = "/proc/self/maps"
        let name = UnsafeRawPointer(path.utf8Start).assumingMemoryBound(to: CChar.self)
        let descriptor = percolate_open(name, O_RDONLY, 0)
        guard descriptor >= 0 else { return }
        defer { _ = percolate_close(Int32(descriptor)) }
        while sink.error == 0, sink.appendPart(of: Int32(descriptor)) {}
    }
}
