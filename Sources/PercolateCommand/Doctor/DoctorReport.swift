/// All that `doctor` found, as `--json` prints it.
struct DoctorReport: Codable {
    let version: String
    let system: SystemFacts
    let rseq: RseqFacts
    let membarrier: MembarrierFacts
    let aborts: AbortFacts
    let processors: ProcessorFacts
    let memory: MemoryFacts
    let allocator: AllocatorFacts
    /// `PERCOLATE_OPTIONS` as the user set it.
    let options: String?
    /// The program that was asked about.
    let program: ProgramFacts?

    /// Whether programs can run on Percolate here, in whatever mode.
    var isUsable: Bool { allocator.problem == nil }

    init(library: ArgumentPath?, program name: String?) {
        version = PercolateCommand.configuration.version
        system = SystemFacts()
        rseq = RseqFacts()
        membarrier = MembarrierFacts()
        aborts = AbortFacts()
        processors = ProcessorFacts()
        memory = MemoryFacts()
        program = name.map { ProgramFacts($0) }
        // Read before the allocator is probed, which adds to it.
        options = EnvironmentVariable.options.value.map { String(decoding: $0, as: UTF8.self) }
        allocator = AllocatorFacts(library)
    }
}
