import CPercolate

/// The part of a report that tells who had to do with a block: its stacks, as text on standard
/// error. Nothing is allocated, and no lock is taken: sites stay as they are.
enum SampleStory {
    /// Who freed the block, if it is freed, and who allocated it.
    static func write(_ record: percolate_sample) {
        if record.state == PERCOLATE_SAMPLE_FREED.rawValue {
            write("freed", by: record.freeing_thread)
            StackText.write(site: record.freeing_site, to: 2)
        }
        write("allocated", by: record.thread)
        StackText.write(site: record.site, to: 2)
    }

    /// The calling thread, which found out.
    static func writeFinder() {
        Sampling.withStack { frames in
            let depth = StackWalk.callers(into: frames, limit: Int(PERCOLATE_SAMPLE_FRAMES))
            write("found", by: Int32(truncatingIfNeeded: percolate_gettid()))
            StackText.write(frames, depth: depth, to: 2)
        }
    }

    /// The line above a stack.
    static func write(_ deed: StaticString, by thread: Int32) {
        var line = TextLine()
        line.append("  ")
        line.append(deed)
        line.append(" by thread ")
        line.append(thread)
        line.append(":\n")
        _ = line.write(to: 2)
    }
}
