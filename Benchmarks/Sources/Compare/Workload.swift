/// The three sets that a comparison reports apart.
public enum WorkloadGroup: String, Codable, CaseIterable, Sendable {
    case micro, threads, programs
}

/// Something that is run under every peer.
public struct Workload: Sendable {
    public enum Body: Sendable {
        /// A program of the folder `Workloads`, and its arguments.
        case compiled(source: String, arguments: [String])
        /// A program of the system.
        case program(Program)
    }

    public var name: String
    public var summary: String
    public var group: WorkloadGroup
    public var threads = 1
    public var family: String?
    /// Resident bytes are sampled, and fewer rounds are run, because most of the run is sleep.
    public var idles = false
    public var body: Body

    func row() -> Row { Row(name: name, summary: summary, group: group, threads: threads, family: family) }
}

/// A program of the system: what it needs, and how it is started.
public struct Program: Sendable {
    /// Programs that must be installed.
    public var tools: [String]
    /// Writes what the runs read, once per comparison.
    var prepare: @Sendable (Workplace) throws -> Void = { _ in }
    var run: @Sendable (Workplace) throws -> Run
}

/// One start of a program, and for a server, of the client whose time counts.
struct Run: Sendable {
    var command: Command
    var server: Server?

    struct Server: Sendable {
        var client: Command
        var socket: String
        var stopSignal: Int32
    }
}
