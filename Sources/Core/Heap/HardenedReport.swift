import CPercolate

/// What a fully hardened heap says of a block before it ends the process.
extension Heap {
    /// Ends the process for what was done to a block of which `story` tells, with the stacks of
    /// those who found out, freed and allocated it where the block is a sample.
    ///
    /// - Parameter lock: what the caller holds, as in `ProgrammerError.report`.
    @inline(never)
    static func endProcess(
        for error: ProgrammerError, _ address: UInt, _ story: BlockReport,
        releasing lock: Lock? = nil
    ) -> Never {
        lock?.release()
        let sample = Samples.find(story.block)
        Visit.endForReport()
        error.write(address, .known(story))
        if let sample {
            SampleStory.writeFinder()
            SampleStory.write(sample)
        }
        percolate_error()
    }
}
