import CLinux
import Glibc

/// Takes events out of the rings, decodes them and puts them in the order of their times.
struct TraceReader {
    struct Entry {
        let sample: ProbeSample
        let event: AllocatorEvent
        let kind: EventKind
    }

    private let events: ProbeEvents
    private var waiting: [Entry] = []
    /// Samples that found no room in their ring, as far as the rings have said.
    private var announcedLost: UInt64 = 0
    /// Samples whose arguments are none that this command knows.
    private(set) var unknown: UInt64 = 0

    /// Nanoseconds that a record may need from its time stamp until it can be read, even where the
    /// hypervisor takes the CPU away.
    private static let delay: UInt64 = 100_000_000

    init(_ events: ProbeEvents) { self.events = events }

    /// The events that have come since the last call and are in order for good.
    ///
    /// - Parameter atEnd: no more will come, so all are in order.
    mutating func next(atEnd: Bool = false) -> [Entry] {
        let now = Self.now
        for (ring, _) in events.rings {
            ring.read { record in
                switch record.content {
                case .sample: accept(record)
                case .lost(_, let count): announcedLost += count
                case .other: break
                }
            }
        }
        // Each ring is in order, and sorting keeps what is of the same time as it came.
        waiting.sort { $0.sample.time < $1.sample.time }
        let end = atEnd ? waiting.count : waiting.firstIndex { $0.sample.time + Self.delay > now } ?? waiting.count
        defer { waiting.removeFirst(end) }
        return Array(waiting[..<end])
    }

    private mutating func accept(_ record: PerfRecord) {
        guard let number = events.probeOfEvent[record.event] else { return }
        let probe = events.probes[number]
        var arguments: [UInt64] = []
        arguments.reserveCapacity(probe.point.arguments.count)
        let registers = record.registers
        for argument in probe.point.arguments {
            guard let value = argument.value(in: registers, sampled: probe.point.registers) else { break }
            arguments.append(value)
        }
        guard arguments.count == probe.name.argumentCount, let event = AllocatorEvent(probe.name, arguments) else {
            unknown += 1
            return
        }
        waiting.append(Entry(sample: ProbeSample(record), event: event, kind: probe.name.kind))
    }

    /// The sentence that says what the trace does not show; nil when it shows everything.
    func losses() -> String? {
        let byProbe = events.lost()
        let lost = byProbe?.values.reduce(0, +) ?? announcedLost
        guard lost > 0 else { return nil }
        let kinds = (byProbe ?? [:]).sorted { $0.key.rawValue < $1.key.rawValue }.map {
            "\($0.key.rawValue) \($0.value)"
        }
        let details = kinds.isEmpty ? "" : " (\(kinds.joined(separator: ", ")))"
        return "\(lost) events were lost, because they came faster than they were written\(details); "
            + "ask for fewer kinds with --events, or for a --summary"
    }

    /// Nanoseconds of the monotonic clock.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
