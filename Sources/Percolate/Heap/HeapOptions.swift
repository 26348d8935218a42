/// The options of a heap, as the environment variable `PERCOLATE_OPTIONS` says them.
///
/// A heap reads the variable once, before its first allocation, which for a process's `malloc` is
/// before `main`. So options are given to processes that are started, not changed in the one that
/// runs:
///
///     var options = HeapOptions()
///     options.cacheBytes = 4 << 20
///     environment[HeapOptions.environmentVariable] = options.environmentValue
public struct HeapOptions: Sendable, Codable, Equatable {
    /// When free pages go back to the kernel.
    public enum Release: String, Sendable, Codable {
        /// When they were not wanted back for a short while. The default.
        case prompt
        /// Later: less work for the kernel, and more memory.
        case lazy
        /// Only by ``ProcessHeap/releaseFreeMemory()``.
        case never
    }

    /// What caches are indexed by.
    public enum Index: String, Sendable, Codable {
        /// What suits the machine.
        case automatic = "auto"
        /// The CPU's number.
        case cpuID = "cpu_id"
        /// The concurrency id, which the kernel keeps below the number of threads: fewer caches in
        /// small processes on large machines.
        case mmCID = "mm_cid"
    }

    /// The name of the environment variable.
    public static let environmentVariable = "PERCOLATE_OPTIONS"

    /// Where statistics go when the process ends: "stderr", or a path, to which the process id is
    /// added. Without commas.
    public var statistics: String?
    /// How much is checked.
    public var hardening = Hardening.off
    /// Bytes of freed blocks that a fully hardened heap keeps from reuse for a while; nil for 4
    /// MiB.
    public var quarantineBytes: Int?
    /// Whether restartable sequences are used where the kernel has them.
    public var usesSequences = true
    /// Whether membarrier(2) is used where the kernel has it.
    public var usesMembarrier = true
    /// Whether holders of the heap's locks ask for longer time slices where the kernel has them
    /// (Linux 7.0); nil to do so unless a filter decided about the process's system calls at start.
    public var extendsSlices: Bool?
    /// What caches are indexed by.
    public var index = Index.automatic
    /// Bytes of free blocks that the caches of one CPU may hold; nil for 1 MiB, and for more in a
    /// large heap: all caches together a sixteenth of it, each 4 MiB at most.
    public var cacheBytes: Int?
    /// When free pages go back to the kernel.
    public var release = Release.prompt
    /// Whether a process with threads has one more, `percolate`, which returns memory that stays
    /// unused.
    public var usesBackgroundThread = true
    /// Whether dense parts of a large heap are backed by huge pages; nil to follow the machine's
    /// setting: where that is `always`.
    public var usesHugePages: Bool?
    /// Bytes of pages in use that no allocation may exceed; nil for no limit.
    public var limitBytes: Int?
    /// Bytes of resident pages above which free ones go back at once; nil for no such target. A
    /// heap that needs more gets it.
    public var softLimitBytes: Int?
    /// Bytes of addresses that the heap may use; nil for sixteen times the machine's memory.
    public var reservedBytes: Int?

    /// Mean number of bytes between blocks that are sampled for the heap profile, 1 for every
    /// block; nil for none.
    public var sampleBytes: Int?
    /// Where the heap profile is written when the process ends, as text that `go tool pprof` reads;
    /// nil for nowhere. Samples are taken at the usual rate where `sampleBytes` says no other.
    public var profile: String?
    /// Mean number of bytes between blocks that are guarded, 1 for every block; nil for none. An
    /// overflow of a guarded block, and a use after it was freed, end the process with a report of
    /// the stacks.
    public var guardBytes: Int?
    /// Whether what was not freed is listed on standard error when the process ends, by where it
    /// was allocated.
    public var listsLeaks = false

    /// The defaults.
    public init() {}

    /// The value for the environment variable: what differs from the default. Ends the process with
    /// a line when the path of statistics or of a profile has a comma, which would begin another
    /// option, or a number of bytes is negative.
    public var environmentValue: String {
        require(statistics?.contains(",") != true, "the path of statistics cannot have a comma")
        require(profile?.contains(",") != true, "the path of a profile cannot have a comma")
        let numbers = [
            cacheBytes, reservedBytes, sampleBytes, guardBytes, quarantineBytes, limitBytes, softLimitBytes,
        ]
        require(numbers.allSatisfy { $0 ?? 0 >= 0 }, "a number of bytes cannot be negative")
        var items: [String] = []
        if let statistics { items.append("stats=\(statistics)") }
        switch hardening {
        case .off: break
        case .basic: items.append("hardened=basic")
        case .full: items.append("hardened=1")
        }
        if let quarantineBytes { items.append("quarantine=\(quarantineBytes)") }
        if !usesSequences { items.append("rseq=off") }
        if !usesMembarrier { items.append("membarrier=off") }
        if let extendsSlices { items.append(extendsSlices ? "slice=on" : "slice=off") }
        if index != .automatic { items.append("index=\(index.rawValue)") }
        if let cacheBytes { items.append("cache=\(cacheBytes)") }
        if release != .prompt { items.append("release=\(release.rawValue)") }
        if !usesBackgroundThread { items.append("background=off") }
        if let usesHugePages { items.append(usesHugePages ? "huge=1" : "huge=0") }
        if let limitBytes { items.append("limit=\(limitBytes)") }
        if let softLimitBytes { items.append("soft=\(softLimitBytes)") }
        if let reservedBytes { items.append("reserve=\(reservedBytes)") }
        if let sampleBytes { items.append("sample=\(sampleBytes)") }
        if let guardBytes { items.append("guard=\(guardBytes)") }
        if let profile { items.append("profile=\(profile)") }
        if listsLeaks { items.append("leaks=1") }
        return items.joined(separator: ",")
    }
}
