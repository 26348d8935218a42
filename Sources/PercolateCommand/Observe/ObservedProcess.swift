import CPercolate
import Glibc
import Percolate
import PercolateCoreHosted
import SystemPackage

/// A running process that Percolate serves, looked at from outside: its memory is read, nothing in
/// it runs for this, and what is asked of it is a word written there. See
/// <percolate/observation.h>.
struct ObservedProcess {
    let process: pid_t
    let files: ProcessFiles
    /// Where the structure is that the shared object exports.
    private let observation: UInt64
    private let heap: UInt64
    private let startTime: String?
    private var description = percolate_observed_heap()
    private(set) var memory: RemoteMemory

    init(_ process: pid_t) throws(ObservationFailure) {
        self.process = process
        let thread = try Self.liveThread(of: process)
        files = ProcessFiles(process: thread)
        memory = RemoteMemory(of: thread)
        startTime = files.startTime
        (observation, heap) = try Self.find(process, files, in: &memory)
        try readDescription()
        guard description.is_ready != 0 else { throw .notStarted(process) }
    }

    // MARK: Finding it

    private static func liveThread(of process: pid_t) throws(ObservationFailure) -> pid_t {
        guard KernelFile.text("/proc/self/stat")?.hasPrefix("\(getpid()) ") ?? false else {
            throw .noProc
        }
        let files = ProcessFiles(process: process)
        guard files.exists else { throw .noProcess(process) }
        guard let thread = files.liveThread else { throw .zombie(process) }
        return thread
    }

    private static func find(
        _ process: pid_t, _ files: ProcessFiles, in memory: inout RemoteMemory
    ) throws(ObservationFailure) -> (observation: UInt64, heap: UInt64) {
        let map: MemoryMap
        do { map = MemoryMap(try files.text("maps")) } catch {
            throw error == .noSuchProcess ? .ended(process) : .refused(process, error)
        }
        guard !map.mappings.isEmpty else {
            throw files.exists ? .noMemory(process) : .ended(process)
        }
        var linksAPI = false
        var isNamed = false
        do {
            // Where the library has its own name, it is found at once.
            for mapping in map.objects.sorted(by: { isOurs($0) && !isOurs($1) }) {
                guard let object = try MappedObject(at: mapping.start, in: &memory) else {
                    continue
                }
                if isOurs(mapping) { isNamed = true }
                guard let address = try object.address(of: "percolate_observation", in: &memory)
                else {
                    if try object.address(of: "percolate_gates", in: &memory) != nil {
                        linksAPI = true
                    }
                    continue
                }
                let found = try memory.kept(percolate_observation.self, at: address)
                guard found.magic == UInt64(PERCOLATE_OBSERVATION_MAGIC) else { continue }
                guard found.version == UInt32(PERCOLATE_OBSERVATION_VERSION) else {
                    throw ObservationFailure.otherVersion(
                        process, theirs: found.version, ours: UInt32(PERCOLATE_OBSERVATION_VERSION))
                }
                guard Int(found.size) == MemoryLayout<percolate_observed_heap>.size else {
                    throw ObservationFailure.otherLayout(process)
                }
                return (address, found.heap)
            }
        } catch let error as Errno {
            throw error == .noSuchProcess ? .ended(process) : .refused(process, error)
        } catch let failure as ObservationFailure {
            throw failure
        } catch {
            fatalError("reading memory failed without an error number: \(error)")
        }
        throw isNamed ? .otherLayout(process) : .notServed(process, linksAPI: linksAPI)
    }

    private static func isOurs(_ mapping: MemoryMap.Mapping) -> Bool {
        mapping.path.contains(PreloadLibrary.fileName)
    }

    // MARK: Reading

    /// What an error of reading means, now that the process could be read before.
    func failure(_ error: Errno) -> ObservationFailure {
        if !files.exists || files.isZombie || error == .noSuchProcess { return .ended(process) }
        if files.startTime != startTime { return .noProcess(process) }
        return error == .badAddress ? .replaced(process) : .refused(process, error)
    }

    private mutating func readDescription() throws(ObservationFailure) {
        description = try reading { () throws(Errno) in
            try memory.value(percolate_observed_heap.self, at: heap)
        }
        try check()
    }

    /// That the process is still the one that was found, running the same program.
    func check() throws(ObservationFailure) {
        let found = try reading { () throws(Errno) in
            try memory.value(percolate_observation.self, at: observation)
        }
        guard found.magic == UInt64(PERCOLATE_OBSERVATION_MAGIC), found.heap == heap,
            files.startTime == startTime
        else { throw .replaced(process) }
    }

    /// The statistics now.
    mutating func statistics() throws(ObservationFailure) -> HeapStatistics {
        memory.forget()
        var collected: (percolate_process_figures, [percolate_class_figures], [percolate_cpu_figures])?
        withUnsafePointer(to: description) { description in
            var reader = ObservedFigures(description, memory)
            let process = reader.process()
            let classes = (0..<reader.classCount).map { reader.sizeClass($0 + 1) }
            let cpus = (0..<reader.cpuCount).map { reader.cpu($0) }
            collected = (process, classes, cpus)
            memory = reader.memory
        }
        if let error = memory.failure { throw failure(error) }
        try check()
        guard let (collectedFigures, classes, cpus) = collected else { throw .ended(process) }
        var figures = collectedFigures
        figures.process_id = UInt64(process)
        (figures.mapped, figures.resident) = files.memory
        return HeapStatistics(
            processName: files.name, servesMalloc: description.serves_malloc != 0, process: figures,
            classes: classes,
            cpus: cpus)
    }

    /// Runs calls that read or write the process's memory.
    func reading<Value>(_ calls: () throws(Errno) -> Value) throws(ObservationFailure) -> Value {
        do { return try calls() } catch { throw failure(error) }
    }

    /// Address of the table of samples; nil in a build without.
    var samples: UInt64? { description.samples == 0 ? nil : description.samples }

    // MARK: Asking

    /// Makes the process's next operation take a slow path, where it sees what was asked.
    func nudge() throws(ObservationFailure) {
        try writing { () throws(Errno) in
            let limits = description.limits
            for limit in [limits.0, limits.1, limits.2, limits.3] where limit != 0 {
                try memory.write(0, at: limit)
            }
        }
    }

    func write(_ value: UInt64, at address: UInt64) throws(ObservationFailure) {
        try writing { () throws(Errno) in try memory.write(value, at: address) }
    }

    private func writing(_ calls: () throws(Errno) -> Void) throws(ObservationFailure) {
        do { try calls() } catch {
            throw error == .noSuchProcess || error == .badAddress
                ? failure(error) : .writeRefused(process, error)
        }
    }

    /// Asks the process to give its free memory back. Whether it has within `seconds`.
    func trim(within seconds: Double) throws(ObservationFailure) -> Bool {
        let asked =
            heap &+ UInt64(MemoryLayout<percolate_observed_heap>.offset(of: \.trim_asked) ?? 0)
        let done =
            heap &+ UInt64(MemoryLayout<percolate_observed_heap>.offset(of: \.trim_done) ?? 0)
        let start = MonotonicClock.nanoseconds
        let end = start + UInt64(seconds * 1e9)
        repeat {
            // An observer that asked earlier may have written over a later request.
            if try reading({ () throws(Errno) in try memory.value(UInt64.self, at: asked) }) < start {
                try write(start, at: asked)
                try nudge()
            }
            usleep(2000)
            if try reading({ () throws(Errno) in try memory.value(UInt64.self, at: done) }) >= start {
                return true
            }
        } while MonotonicClock.nanoseconds < end
        return false
    }

    /// Whether a thread of the allocator is there that looks at requests while it works.
    var hasScavenger: Bool { files.threadNames.contains("percolate") }
}

enum MonotonicClock {
    /// Nanoseconds of CLOCK_MONOTONIC.
    static var nanoseconds: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
