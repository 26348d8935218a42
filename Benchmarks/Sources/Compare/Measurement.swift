import Foundation

/// What one run of a workload used.
public struct Measurement: Codable, Equatable, Sendable {
    /// The round of the comparison. Runs of one round lie close together in time, so their ratios share the machine's mood.
    public var round: Int
    /// Seconds of work: the whole run, or what the workload says when it also sleeps.
    public var seconds: Double
    public var userSeconds: Double
    public var systemSeconds: Double
    public var peakResidentBytes: UInt64
    public var minorFaults: UInt64
    public var majorFaults: UInt64
    /// What the workload itself reported on its way.
    public var marks: [Mark]
    /// Resident bytes over time, for workloads that are about that.
    public var timeline: [Point]
    /// How long single calls took, for workloads that are about that. Reports of before have none.
    public var latencies: [Latency]?

    public init(
        round: Int, seconds: Double, userSeconds: Double, systemSeconds: Double, peakResidentBytes: UInt64,
        minorFaults: UInt64, majorFaults: UInt64, marks: [Mark] = [], timeline: [Point] = [],
        latencies: [Latency]? = nil
    ) {
        self.round = round
        self.seconds = seconds
        self.userSeconds = userSeconds
        self.systemSeconds = systemSeconds
        self.peakResidentBytes = peakResidentBytes
        self.minorFaults = minorFaults
        self.majorFaults = majorFaults
        self.marks = marks
        self.timeline = timeline
        self.latencies = latencies
    }

    public var processorSeconds: Double { userSeconds + systemSeconds }

    /// Resident bytes at the last mark: after the idle time, or at the end.
    public var lastResidentBytes: UInt64? { marks.last?.resident }
}

/// A moment that a workload named.
public struct Mark: Codable, Equatable, Sendable {
    public var mark: String
    public var seconds: Double
    public var resident: UInt64

    public init(mark: String, seconds: Double, resident: UInt64) {
        self.mark = mark
        self.seconds = seconds
        self.resident = resident
    }
}

/// A sample of the resident bytes.
public struct Point: Codable, Equatable, Sendable {
    public var seconds: Double
    public var resident: UInt64

    public init(seconds: Double, resident: UInt64) {
        self.seconds = seconds
        self.resident = resident
    }
}

/// What a measurement is asked for.
public enum Metric: String, CaseIterable, Codable, Sendable {
    case time, processor, peak, faults, last

    public var title: String {
        switch self {
        case .time: "time"
        case .processor: "CPU time"
        case .peak: "peak resident"
        case .faults: "page faults"
        case .last: "resident at the last mark"
        }
    }

    /// Seconds, bytes or a count. `nil` when the workload does not have it.
    public func value(_ measurement: Measurement) -> Double? {
        switch self {
        case .time: measurement.seconds
        case .processor: measurement.processorSeconds
        case .peak: Double(measurement.peakResidentBytes)
        case .faults: Double(measurement.minorFaults)
        case .last: measurement.lastResidentBytes.map(Double.init)
        }
    }
}
