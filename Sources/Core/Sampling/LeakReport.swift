import CPercolate

/// What the process had not freed when it ended, by where it was allocated: the live samples,
/// largest sites first.
///
/// Not everything that was not freed is a leak: what a program needs until its end is in the list
/// as well. A leak is a site that grows with the program's work.
enum LeakReport {
    /// Sites that are listed.
    private static var most: Int { 20 }

    struct State {
        /// A duplicate of standard error, made at start: programs close theirs. 0 where there is
        /// none.
        var duplicate: Int32
        /// The process that was asked for a report, 0 for none. A child of its forks has copies of
        /// its blocks, and reports nothing.
        var process: Int
    }

    private static var state: UnsafeMutablePointer<State> {
        pinned(&samplingState.pointee.leakReport)
    }

    private static var descriptor: Int32 {
        state.pointee.duplicate > 0 ? state.pointee.duplicate : 2
    }

    /// At start.
    static func begin() {
        state.pointee.process = percolate_getpid()
        let duplicate = percolate_duplicate(2, 100)
        if duplicate >= 0 { state.pointee.duplicate = Int32(duplicate) }
    }

    /// At the end of the process.
    static func write() {
        let process = state.pointee.process
        guard process != 0, process == percolate_getpid() else { return }
        var bytes = 0.0
        var blocks = 0.0
        var sites = 0
        let count = UInt32(truncatingIfNeeded: sampled.site_count)
        for number in 0..<count {
            let site = SampleTables.site(number)
            guard site.pointee.live_samples > 0 else { continue }
            bytes += site.pointee.live_bytes
            blocks += site.pointee.live_blocks
            sites &+= 1
        }
        writeHeadline(bytes, blocks, sites)
        var last: (bytes: Double, number: UInt32) = (.infinity, 0)
        for _ in 0..<most {
            guard let number = largest(below: last, count) else { break }
            last = (SampleTables.site(number).pointee.live_bytes, number)
            writeSite(number)
        }
    }

    /// The site with most bytes among those that come behind `last`, of equal ones that with the
    /// lower number first.
    private static func largest(below last: (bytes: Double, number: UInt32), _ count: UInt32) -> UInt32? {
        var best: UInt32?
        var most = 0.0
        for number in 0..<count {
            let site = SampleTables.site(number)
            let bytes = site.pointee.live_bytes
            guard site.pointee.live_samples > 0 else { continue }
            guard bytes < last.bytes || bytes == last.bytes && number > last.number else { continue }
            if best == nil || bytes > most {
                best = number
                most = bytes
            }
        }
        return best
    }

    /// Every block is a sample: nothing is an estimate.
    private static var isExact: Bool { sampled.rate == 1 && sampled.lost_samples == 0 }

    private static func append(_ bytes: Double, _ blocks: Double, to line: inout TextLine) {
        if !isExact { line.append("about ") }
        line.append(UInt64(bytes + 0.5))
        line.append(isExact ? " bytes in " : " bytes in about ")
        line.append(UInt64(blocks + 0.5))
        line.append(" blocks")
    }

    private static func writeHeadline(_ bytes: Double, _ blocks: Double, _ sites: Int) {
        var line = TextLine()
        line.append("percolate: not freed by process ")
        line.append(percolate_getpid())
        line.append(" (")
        line.append(cString: percolate_program_name(), limit: 64)
        line.append("): ")
        append(bytes, blocks, to: &line)
        line.append(" from ")
        line.append(sites)
        line.append(" places")
        if sampled.lost_samples > 0 {
            line.append("; ")
            line.append(sampled.lost_samples)
            line.append(" samples had no room and are missing")
        }
        line.append("\n")
        _ = line.write(to: descriptor)
    }

    private static func writeSite(_ number: UInt32) {
        let site = SampleTables.site(number)
        var line = TextLine()
        line.append("  ")
        append(site.pointee.live_bytes, site.pointee.live_blocks, to: &line)
        if !isExact {
            line.append(", ")
            line.append(site.pointee.live_samples)
            line.append(" samples")
        }
        line.append(":\n")
        _ = line.write(to: descriptor)
        StackText.write(site: number, to: descriptor)
    }
}
