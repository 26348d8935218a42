/// Durations in nanoseconds, as counts in 16 steps for each power of two: percentiles are exact to
/// a sixteenth, whatever their number, in a few kilobytes.
struct DurationHistogram {
    private var counts: [Int: UInt64] = [:]
    private(set) var count: UInt64 = 0
    private(set) var total: UInt64 = 0
    private(set) var largest: UInt64 = 0

    mutating func add(_ duration: UInt64) {
        counts[Self.step(of: duration), default: 0] += 1
        count += 1
        total &+= duration
        largest = max(largest, duration)
    }

    /// A duration that at least `percent` of all do not exceed: the upper end of its step, or the
    /// largest of all. 0 when there is none.
    func percentile(_ percent: UInt64) -> UInt64 {
        let wanted = (count * percent + 99) / 100
        var seen: UInt64 = 0
        for (step, number) in counts.sorted(by: { $0.key < $1.key }) {
            seen += number
            if seen >= wanted { return min(Self.upperEnd(ofStep: step), largest) }
        }
        return 0
    }

    private static func step(of duration: UInt64) -> Int {
        guard duration >= 16 else { return Int(duration) }
        let power = 63 - duration.leadingZeroBitCount
        return (power - 3) * 16 + Int(duration >> UInt64(power - 4) & 15)
    }

    private static func upperEnd(ofStep step: Int) -> UInt64 {
        guard step >= 16 else { return UInt64(step) }
        let power = UInt64(step / 16 + 3)
        return (UInt64(16 + step % 16 + 1) << (power - 4)) &- 1
    }
}
