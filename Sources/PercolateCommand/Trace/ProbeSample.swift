/// Who came by a probe, where and when.
struct ProbeSample {
    let process: Int32
    let thread: Int32
    let cpu: UInt32
    /// Nanoseconds of the monotonic clock.
    let time: UInt64

    init(_ record: PerfRecord) {
        process = record.process
        thread = record.thread
        cpu = record.cpu
        time = record.time
    }
}
