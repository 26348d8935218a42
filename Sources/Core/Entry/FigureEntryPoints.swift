import CPercolate

// What programs and services ask about the heap: counting scopes, statistics, profiles.

@c(percolate_is_counting)
public func percolateIsCounting(_ scope: UnsafePointer<percolate_counting_scope>) -> Bool {
    visiting { Counting.contains(scope) }
}

@c(percolate_begin_counting)
public func percolateBeginCounting(_ scope: UnsafeMutablePointer<percolate_counting_scope>) {
    visiting { Counting.begin(scope) }
}

@c(percolate_end_counting)
public func percolateEndCounting(_ scope: UnsafeMutablePointer<percolate_counting_scope>) {
    visiting { Counting.end(scope) }
}

/// Writes the statistics to `descriptor`, as text.
@c(percolate_write_statistics)
public func percolateWriteStatistics(_ descriptor: Int32) {
    // As malloc_stats(3), which cannot fail.
    if Heap.ensureStarted() { _ = Heap.writeStatistics(as: .text, to: descriptor) }
}

/// Writes the statistics as a caller wants them. 0, or an error number.
@c(percolate_write_statistics_as)
public func percolateWriteStatisticsAs(_ descriptor: Int32, _ format: Int32) -> Int32 {
    let known: StatisticsFormat
    switch format {
    case 0: known = .text
    case 1: known = .json
    case 2: known = .prometheus
    default: return EINVAL
    }
    guard Heap.ensureStarted() else { return ENOMEM }
    return Int32(truncatingIfNeeded: Heap.writeStatistics(as: known, to: descriptor))
}

/// Hands the statistics to `take` as elements of XML, with `context`.
@c(percolate_write_statistics_xml)
public func percolateWriteStatisticsXML(
    _ take: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>, Int) -> Int,
    _ context: UnsafeMutableRawPointer?
) -> Bool {
    Heap.ensureStarted() && Heap.writeStatistics(as: .xml, take, context) == 0
}

/// Writes the heap profile to a file, in the format of jemalloc. 0, or an error number.
@c(percolate_write_profile)
public func percolateWriteProfile(_ path: UnsafePointer<CChar>) -> Int32 {
    Heap.ensureStarted() ? Int32(truncatingIfNeeded: Heap.writeProfile(to: path)) : ENOMEM
}

/// Forgets what was sampled so far. Totals stay.
@c(percolate_reset_samples)
public func percolateResetSamples() {
    visiting { if Heap.ensureStarted() { Samples.reset() } }
}

/// The mean number of bytes between samples that the options asked for; 0 for none.
@c(percolate_mean_at_start)
public func percolateMeanAtStart() -> UInt64 { Heap.ensureStarted() ? Heap.meanAtStart : 0 }

/// Before code is loaded, perhaps where other code was.
@c(percolate_forget_frame_rules)
public func percolateForgetFrameRules() { FrameRuleCache.clear() }

/// Where the samples are.
public var percolateSamples: UnsafePointer<percolate_samples> {
    UnsafePointer(pinned(&sampled))
}
