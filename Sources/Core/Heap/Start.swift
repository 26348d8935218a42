import CPercolate
import Synchronization

/// Start-up of the process's heap: by the first call that reaches a slow path, whoever makes it, or by the constructor.
enum Heap {
    enum Phase { case cold, ready, failed }

    /// Who sees that the heap is ready sees what start-up stored.
    static var phase: Phase {
        get {
            switch heapState.pointee.phase.load(ordering: .acquiring) {
            case 0: .cold
            case 1: .ready
            default: .failed
            }
        }
        set {
            let number: UInt8 =
                switch newValue {
                case .cold: 0
                case .ready: 1
                case .failed: 2
                }
            heapState.pointee.phase.store(number, ordering: .releasing)
        }
    }
    static var options: Options {
        @inline(__always) unsafeAddress { UnsafePointer(pinned(&heapState.pointee.options)) }
        @inline(__always) unsafeMutableAddress { pinned(&heapState.pointee.options) }
    }

    /// Half of the addresses that the heap may use under an emulator.
    private static var emulatedAddresses: UInt { 1 << 35 }

    /// Largest window: a chunk less than 16 TiB, so that a span's pages are a number of 32 bits. Smallest: 64 MiB.
    private static var windowRange: ClosedRange<UInt> { (1 << 26)...(1 << 44 &- 1 << 21) }

    /// Makes the heap usable. False when it is not: start-up runs in this very thread, or failed.
    @inline(__always)
    static func ensureStarted() -> Bool { phase == .ready || startAndRegister() }

    @inline(never)
    private static func startAndRegister() -> Bool {
        guard start() else { return false }
        // Without the lock of start-up: registering may allocate.
        registerForkHandlers()
        return true
    }

    static var startLock: Lock {
        Lock(at: addressOf(&platformState.pointee.shared.start_lock.word))
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

    /// An emulator of user programs (qemu-user) keeps a table of every page that is mapped, reserved or not. It has no
    /// restartable sequences, as kernels before 4.18; there pieces are mapped one after the other.
    private static var mayReserve: Bool { options.reserve != 0 || !options.sequences || Sequences.areKnown }

    /// Reserves window and metadata: in one mapping, or where address space is short, metadata only.
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
        // Twice the limit leaves room to go around what is in the way; RLIM_INFINITY is beyond every window. Where even the
        // metadata is too much (mlockall(2) with a limit counts it), smaller windows need less.
        if limit.rlim_cur < window { window = max(roundUp(UInt(limit.rlim_cur) &* 2, 1 << 21), windowRange.lowerBound) }
        while window >= windowRange.lowerBound {
            let layout = MetadataLayout(window: window, indexes: indexes)
            if let memory = Reservation.reserve(layout.size) {
                // Far from where the kernel puts mappings, the program and its stack; at random, as those are.
                let random = UInt(percolate_random() & 0xfff) &<< 30
                return layout.place(at: memory.address, window: 0x2000_0000_0000 &+ random, backing: .pieces)
            }
            window = roundUp(window / 2, 1 << 21)
        }
        return false
    }
}

/// Where each table of the metadata lies.
private struct MetadataLayout {
    let window: UInt
    let indexes: Int
    let pages: Int
    private let tables: UInt
    private let spanTable: UInt
    private let tree: UInt
    private let rows: UInt
    private let small: UInt

    private static var closedSlab: UInt { Reservation.pageSize }

    init(window: UInt, indexes: Int) {
        self.window = window
        self.indexes = indexes
        pages = Int(window &>> UInt(PERCOLATE_PAGE_SHIFT))
        tables = roundUp(UInt(PERCOLATE_TABLE_PAGE_CLASS) &+ UInt(pages), Reservation.pageSize)
        spanTable = SpanTable.size(pages: pages)
        tree = Arena.metadataSize(pages: pages)
        rows = UInt(indexes &* Counter.count &* 8)
        let classes = SizeClass.count &* MemoryLayout<SizeClass>.stride
        let lists = Middle.listCount &* Middle.stride
        small = roundUp(
            rows &+ UInt(classes &+ lists &+ indexes &* PerCPUCache.stride) &+ 256, Reservation.pageSize)
    }

    var size: UInt { tables &+ Self.closedSlab &+ small &+ spanTable &+ tree }

    /// Writes what must be there before the first allocation. False when the kernel refuses memory.
    func place(at start: UInt, window base: UInt, backing: Arena.Backing) -> Bool {
        var fixed = Reservation(address: start, size: UInt(PERCOLATE_TABLE_PAGE_CLASS))
        arenaState.pointee.pageClasses = Reservation(
            address: start &+ UInt(PERCOLATE_TABLE_PAGE_CLASS), size: tables &- UInt(PERCOLATE_TABLE_PAGE_CLASS))
        let closed = start &+ tables
        var records = Reservation(address: closed &+ Self.closedSlab, size: small)
        guard fixed.commit(fixed.size), records.commit(small),
            percolate_mprotect(closed, Int(Self.closedSlab), PROT_READ) == 0
        else { return false }

        front.tables = UInt64(start)
        // In this order, what a small process uses of each lies together.
        Middle.state.pointee.lists = Table(address: records.address)
        let afterLists = Middle.lists.address &+ UInt(Middle.listCount &* Middle.stride)
        middleState.pointee.sizeClasses = Table(address: afterLists)
        let afterClasses = sizeClasses.address &+ UInt(SizeClass.count &* MemoryLayout<SizeClass>.stride)
        let rowsStart = roundUp(afterClasses, 64)
        platformState.pointee.counterRows = Table(address: rowsStart)
        platformState.pointee.counterRowCount = indexes
        FrontEnd.state.pointee.caches = Table(address: roundUp(rowsStart &+ rows, 64))
        FrontEnd.state.pointee.indexCount = indexes
        FrontEnd.state.pointee.closed = UInt64(closed)
        writeSizeClasses(lookup: pointer(start &+ UInt(PERCOLATE_TABLE_SIZE_CLASS)))
        // Entries -2 and -1 serve threads that are not registered.
        let gates = Table<UInt64>(address: start &+ UInt(PERCOLATE_TABLE_GATES))
        for index in -2..<indexes { gates[index].pointee = UInt64(closed) }

        let treeStart = records.address &+ small
        spans.place(at: treeStart &+ tree, pages: pages)
        guard arena.start(base: base, pages: pages, metadata: treeStart, backing: backing) else { return false }
        front.base = UInt64(base)
        return true
    }
}

/// Tells the fast path what it may do: nothing before start-up, without open gates, around vfork, or while a scope counts. The
/// caller holds the arena's lock: growth of the arena changes the same variables.
func publishFront() {
    let live =
        Heap.phase == .ready && FrontEnd.mode == .sections && !FrontEnd.isSuspended
        && !Counting.isActive
    let byMMCID = FrontEnd.sequences.index == .mmCID
    let isMarked = Hardening.level != .off
    let open = live ? UInt64(PERCOLATE_SMALL_MAX) &+ 1 : 0
    let openPages = live ? UInt64(publishedPages) : 0
    let limit = isMarked ? 0 : open
    let pages = isMarked ? 0 : openPages
    #if PERCOLATE_REFILL_SAMPLES
        // A test build: the fast path counts nothing, and the statistics of samples must fail.
        let isPlain = true
    #else
        let isPlain = !Countdown.isOn
    #endif
    // Under basic hardening samples are taken in the slow path.
    let marked = isMarked && isPlain ? open : 0
    front.limit_marked = byMMCID ? 0 : marked
    front.limit_marked_mm_cid = byMMCID ? marked : 0
    front.pages_marked = isMarked && !byMMCID ? openPages : 0
    front.pages_marked_mm_cid = isMarked && byMMCID ? openPages : 0
    front.limit = isPlain && !byMMCID ? limit : 0
    front.limit_mm_cid = isPlain && byMMCID ? limit : 0
    let sampled = isPlain || Countdown.state.pointee.takesAll ? 0 : limit
    front.limit_sampled = byMMCID ? 0 : sampled
    front.limit_sampled_mm_cid = byMMCID ? sampled : 0
    Requests.state.pointee.publishedLimits = Requests.limits
    front.pages = byMMCID ? 0 : pages
    front.pages_mm_cid = byMMCID ? pages : 0
}
