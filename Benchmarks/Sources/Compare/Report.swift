import Foundation

/// One comparison, complete: everything the table and the page show is computed from it.
public struct Report: Codable, Equatable, Sendable {
    /// Raised when a reader of the old format would misread the new one.
    public static let currentFormat = 1

    public var format = Report.currentFormat
    public var machine: Machine
    public var started: Date
    public var finished: Date
    public var loadAtStart: Double
    public var loadAtEnd: Double
    public var rounds: Int
    public var quick: Bool
    public var baseline: String
    public var peers: [Peer]
    public var skipped: [Skipped]
    public var rows: [Row]

    public init(
        machine: Machine, started: Date, finished: Date, loadAtStart: Double, loadAtEnd: Double, rounds: Int,
        quick: Bool, baseline: String, peers: [Peer], skipped: [Skipped], rows: [Row]
    ) {
        self.machine = machine
        self.started = started
        self.finished = finished
        self.loadAtStart = loadAtStart
        self.loadAtEnd = loadAtEnd
        self.rounds = rounds
        self.quick = quick
        self.baseline = baseline
        self.peers = peers
        self.skipped = skipped
        self.rows = rows
    }

    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.dateEncodingStrategy = .iso8601
        return try encoder.encode(self)
    }

    public init(decoding data: Data) throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        self = try decoder.decode(Report.self, from: data)
        guard format == Self.currentFormat else {
            throw InvalidInput("the report has format \(format), this tool reads format \(Self.currentFormat)")
        }
    }
}

/// A workload and what each peer needed for it.
public struct Row: Codable, Equatable, Sendable {
    public var name: String
    public var summary: String
    public var group: WorkloadGroup
    public var threads: Int
    /// Rows of one family differ in the number of threads only.
    public var family: String?
    /// By the peer's name.
    public var measurements: [String: [Measurement]]
    public var failures: [Failure]

    public init(
        name: String, summary: String, group: WorkloadGroup, threads: Int, family: String? = nil,
        measurements: [String: [Measurement]] = [:], failures: [Failure] = []
    ) {
        self.name = name
        self.summary = summary
        self.group = group
        self.threads = threads
        self.family = family
        self.measurements = measurements
        self.failures = failures
    }

    public func values(_ metric: Metric, of peer: String) -> [Int: Double] {
        var values: [Int: Double] = [:]
        for measurement in measurements[peer] ?? [] { values[measurement.round] = metric.value(measurement) }
        return values
    }

    public func median(_ metric: Metric, of peer: String) -> Double? {
        Distribution.median(Array(values(metric, of: peer).values))
    }

    public func ratio(_ metric: Metric, of peer: String, to baseline: String) -> Ratio? {
        Ratio(of: values(metric, of: peer), to: values(metric, of: baseline))
    }
}

/// A run that gave no measurement.
public struct Failure: Codable, Equatable, Sendable {
    public var peer: String
    public var round: Int
    public var message: String

    public init(peer: String, round: Int, message: String) {
        self.peer = peer
        self.round = round
        self.message = message
    }
}
