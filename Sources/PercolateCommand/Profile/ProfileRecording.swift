import Glibc
import SystemPackage

/// Takes the profile of a process.
enum ProfileRecording {
    /// Mean bytes between samples where nobody says another.
    static let usualRate: UInt64 = 524_288

    /// Samples for `seconds`. A process that samples already goes on with its own rate; otherwise
    /// sampling is on for the time only.
    static func of(_ process: pid_t, seconds: Double, rate: UInt64?) throws(ObservationFailure)
        -> StackProfile
    {
        let observed = try ObservedProcess(process)
        let request = try SamplingRequest(observed)
        let rateBefore = try request.rate
        let wanted = rate ?? (rateBefore == 0 ? usualRate : rateBefore)
        if wanted != rateBefore, !(try request.ask(rate: wanted, within: min(seconds, 5))) {
            _ = try request.ask(rate: rateBefore, within: 0)
            throw .unanswered(process, hasScavenger: observed.hasScavenger)
        }
        var map = (try? observed.files.text("maps")) ?? ""
        let first = try request.reading()
        var last = first
        var isGone = false
        let start = MonotonicClock.nanoseconds
        let end = start + UInt64(seconds * 1e9)
        // A process that ends, or executes another program, leaves the last reading, and its map
        // from the beginning.
        do throws(ObservationFailure) {
            var pause: UInt64 = 0
            while MonotonicClock.nanoseconds < end {
                usleep(UInt32(min(pause, end - min(end, MonotonicClock.nanoseconds)) / 1000))
                let begin = MonotonicClock.nanoseconds
                last = try request.reading()
                // A tenth of the time at most is spent on readings of a large table.
                pause = min(500_000_000, max(50_000_000, 10 * (MonotonicClock.nanoseconds - begin)))
            }
            map = (try? observed.files.text("maps")) ?? map
        } catch {
            switch error {
            case .ended where !last.sites.isEmpty, .replaced where !last.sites.isEmpty:
                isGone = true
            default: throw error
            }
        }
        let profile = try named(
            last.since(first), observed, map, rate: wanted, seconds: seconds, from: start)
        if wanted != rateBefore, !isGone {
            // An answer is not waited for: the process may be idle by now, and takes the rate over
            // when it is not.
            _ = try? request.ask(rate: rateBefore, within: 0.2)
        }
        return profile
    }

    /// What a process that samples since its start has sampled.
    static func now(_ process: pid_t) throws(ObservationFailure) -> StackProfile {
        let observed = try ObservedProcess(process)
        let request = try SamplingRequest(observed)
        let start = MonotonicClock.nanoseconds
        let map = (try? observed.files.text("maps")) ?? ""
        return try named(
            request.reading(), observed, map, rate: try request.rate, seconds: 0, from: start)
    }

    private static func named(
        _ samples: SampleTable, _ observed: ObservedProcess, _ map: String, rate: UInt64,
        seconds: Double,
        from start: UInt64
    ) throws(ObservationFailure) -> StackProfile {
        // Finding the names takes its time, in which nothing is sampled.
        let duration = MonotonicClock.nanoseconds - start
        guard samples.sites.values.contains(where: { $0.totalBlocks > 0.5 || $0.liveBlocks > 0.5 })
        else {
            throw .emptyProfile(observed.process, seconds: seconds)
        }
        var profile = Symbolizer(process: observed.files.process, map: MemoryMap(map)).profile(
            of: samples)
        profile.rate = rate
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        profile.time = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        profile.duration = duration
        profile.title = "\(observed.files.name), process \(observed.process)"
        return profile
    }
}
