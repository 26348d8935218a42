import CPercolate
import Synchronization

/// Start-up: by the first call that reaches a slow path, whoever makes it, or by the constructor.
extension Heap {
    /// Half of the addresses that the heap may use under an emulator.
    private static var emulatedAddresses: UInt { 1 << 35 }

    /// Largest window: a chunk less than 16 TiB, so that a span's pages are a number of 32 bits.
    /// Smallest: 64 MiB.
    private static var windowRange: ClosedRange<UInt> { (1 << 26)...(1 << 44 &- 1 << 21) }

    @inline(never)
    static func startAndRegister() -> Bool {
        guard start() else { return false }
        // Without the lock of start-up: registering may allocate.
        registerForkHandlers()
        return true
    }

    private static func start() -> Bool {
        var visit = percolate_visit()
        Visit.begin(&visit)
        defer { Visit.end(&visit) }
        guard startLock.acquire() == .entered else { return false }
        defer { startLock.release() }
        guard phase == .cold else { return phase == .ready }
        percolate_place_mark()
        readOptions()
        percolate_look_up_libc()
        let affinity = Affinity.current()
        let sequences = Sequences.decide(options, allowedCPUs: affinity.allowed)
        publicGates.start(sequences)
        sequences.startSlices(options.slices)
        return begin(affinity, sequences)
    }

    /// The part of start-up that is a heap's, and not the process's: of one that is cold, and whose
    /// options are known. False when the kernel refuses memory. Nobody else is here.
    static func begin(_ affinity: Affinity, _ sequences: Sequences) -> Bool {
        setWhatIsNotZero()
        Middle.chooseShards(cpus: affinity.allowed)
        guard placeHeap(indexes: affinity.numbers) else {
            phase = .failed
            return false
        }
        FrontEnd.state.pointee.sequences = sequences
        FrontEnd.state.pointee.budget = options.cacheBudget
        FrontEnd.state.pointee.mayExceedBudget = options.cacheMayGrow
        FrontEnd.state.pointee.mode = FrontEnd.sequences.registration == .none ? .locked : .sections
        harden(options.hardening)
        arena.retention.policy = options.release
        arena.hugePages.isOn = options.hugePages == .on
        arena.hugePages.isDecided = options.hugePages != .automatic
        arena.limits.hard = options.limit == 0 ? Int.max : MemoryLimits.pages(UInt64(options.limit))
        arena.limits.soft = options.softLimit == 0 ? Int.max : MemoryLimits.pages(UInt64(options.softLimit))
        front.rseq_cs = Int64(FrontEnd.sequences.areaOffset)
        // The fast path loads its limits first and what goes with them next, in no order that a
        // weakly ordered machine keeps. A thread that sees a limit from behind the fence has passed
        // the fence itself, and sees what was stored in front of it. It costs nothing in a process
        // of one thread.
        if !Sequences.areStoresOrdered { _ = FrontEnd.sequences.fenceAll() }
        phase = .ready
        // At once: a signal handler may leave the rest by a jump, or end the process.
        percolate_has_started = 1
        guard arenaLock.acquire() == .entered else { return false }
        publishFront()
        arenaLock.release()
        Randomness.seed()
        Observation.publish()
        startSampling()
        return true
    }

    /// Stores what is not zero in a heap that has not started.
    private static func setWhatIsNotZero() {
        arena = Arena()
        spans = SpanTable()
        sampled.version = UInt32(PERCOLATE_SAMPLES_VERSION)
        sampled.size = UInt32(MemoryLayout<percolate_samples>.size)
        sampled.record_stride = UInt64(MemoryLayout<percolate_sample>.stride)
        sampled.site_stride = UInt64(MemoryLayout<percolate_sample_site>.stride)
    }

    private static func readOptions() {
        options = Options()
        if let preset = percolate_preset_options() { options.parse(preset) }
        // 23 is AT_SECURE: a program with raised privileges does not listen to its environment.
        guard percolate_auxiliary(23) == 0, let text = percolate_options_text() else { return }
        options.parse(text)
        keepStatisticsTarget()
        keepProfileTarget()
    }

    /// Sixteen times the machine's memory, in chunks, within the range.
    private static func wantedWindow() -> UInt {
        if options.reserve != 0 {
            return min(max(roundUp(options.reserve, 1 << 21), windowRange.lowerBound), windowRange.upperBound)
        }
        var size: UInt = 1 << 36
        let memory = UInt(max(percolate_memory_bytes(), 0))
        while size < windowRange.upperBound, size < memory &* 16 { size &<<= 1 }
        return min(size, windowRange.upperBound)
    }

    /// An emulator of user programs (qemu-user) keeps a table of every page that is mapped,
    /// reserved or not. It has no restartable sequences, as kernels before 4.18; there pieces are
    /// mapped one after the other.
    private static var mayReserve: Bool { options.reserve != 0 || !options.sequences || Sequences.areKnown }

    /// Reserves window and metadata: in one mapping, or where address space is short, metadata
    /// only.
    private static func placeHeap(indexes: Int) -> Bool {
        var window = wantedWindow()
        let layout = MetadataLayout(window: window, indexes: indexes)
        if mayReserve, let memory = Reservation.reserve(layout.size &+ window &+ (1 << 21)) {
            _ = percolate_madvise(memory.address, Int(memory.size), MADV_NOHUGEPAGE)
            let base = roundUp(memory.address &+ layout.size, 1 << 21)
            Reservation.name(memory.address, base &- memory.address, "percolate: metadata")
            Reservation.name(base, memory.address &+ memory.size &- base, "percolate: heap")
            return layout.place(at: memory.address, window: base, backing: .reserved)
        }
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = percolate_getrlimit(Int32(RLIMIT_AS.rawValue), &limit)
        if !mayReserve { limit.rlim_cur = min(limit.rlim_cur, emulatedAddresses) }
        // Twice the limit leaves room to go around what is in the way; RLIM_INFINITY is beyond
        // every window. Where even the metadata is too much (mlockall(2) with a limit counts it),
        // smaller windows need less.
        if limit.rlim_cur < window { window = max(roundUp(UInt(limit.rlim_cur) &* 2, 1 << 21), windowRange.lowerBound) }
        while window >= windowRange.lowerBound {
            let layout = MetadataLayout(window: window, indexes: indexes)
            if let memory = Reservation.reserve(layout.size) {
                // Far from where the kernel puts mappings, the program and its stack; at random, as
                // those are.
                let random = UInt(percolate_random() & 0xfff) &<< 30
                return layout.place(at: memory.address, window: 0x2000_0000_0000 &+ random, backing: .pieces)
            }
            window = roundUp(window / 2, 1 << 21)
        }
        return false
    }
}
