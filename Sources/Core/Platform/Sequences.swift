import CPercolate

/// How this process uses restartable sequences: decided once, at start, in `decide`, and nowhere
/// else.
struct Sequences {
    enum Registration { case none, glibc, own }
    /// What a slab gate is indexed by.
    enum Index { case cpuID, mmCID }

    private(set) var registration = Registration.none
    private(set) var index = Index.cpuID
    /// Whether membarrier(2) can fence sections.
    private var isFenceRegistered = false
    /// Whether another CPU's gate can be closed. A process that restricts its system calls must not
    /// be asked for that one.
    var canFence: Bool { isFenceRegistered && percolate_is_restricted() == 0 }
    /// Offset of the field `rseq_cs` of the thread's area from its thread pointer.
    private(set) var areaOffset = 0
    /// Bytes of the area.
    private var areaSize = 32
    /// Offset of the field that indexes slab gates.
    private(set) var indexOffset = 0

    /// Whether the kernel writes concurrency ids into the thread's area.
    private(set) var hasMMCID = false

    /// Bytes of the area that the kernel knows and was told of.
    private(set) var knownSize = 0

    /// Offset of the concurrency id.
    var mmCIDOffset: Int { areaOffset &+ Int(PERCOLATE_RSEQ_MM_CID) }

    /// Offset of `cpu_id`, which says whether the thread is registered whichever field is the
    /// index.
    var cpuOffset: Int { areaOffset &+ Int(PERCOLATE_RSEQ_CPU_ID) }

    /// Whether the kernel has restartable sequences at all: libc registered the thread, or the
    /// system call exists.
    static var areKnown: Bool {
        if percolate_rseq_glibc_size() >= 20 { return percolate_rseq_field(percolate_rseq_glibc_offset() &+ 4) >= 0 }
        return percolate_rseq_is_known() != 0
    }

    /// Decides registration, index and fence.
    ///
    /// - glibc's area where glibc registered one; else an area of our own where the kernel takes
    ///   it; else no sections.
    /// - `mm_cid` where the kernel has it (feature size 28, Linux 6.3) and many CPUs (16 or more)
    ///   are open to the process: there the number of slabs follows the threads that run at once,
    ///   which outweighs that a remote close must fence all CPUs. Else `cpu_id`: a close interrupts
    ///   one CPU, and blocks stay in the cache of the core that used them. The kernel leaves 0 in
    ///   the `mm_cid` of an area that the program itself unregisters, where `cpu_id` says so: that
    ///   is a limit of this index.
    static func decide(_ options: Options, allowedCPUs: Int) -> Sequences {
        var result = Sequences()
        guard options.sequences, percolate_kernel_aborts_sections() else { return result }
        let glibcSize = percolate_rseq_glibc_size()
        if glibcSize >= 20 {
            result.registration = .glibc
            result.areaOffset = percolate_rseq_glibc_offset() &+ 8
        } else {
            result.areaOffset = percolate_rseq_own_offset() &+ 8
            result.areaSize = Int(percolate_rseq_own_size())
            guard result.register() == 0 else { return Sequences() }
            result.registration = .own
        }
        guard percolate_rseq_field(result.cpuOffset) >= 0 else { return Sequences() }

        // An area of 20 or 32 bytes is glibc's original one: 32 bytes, of which the kernel fills
        // what it advertises. 27 is AT_RSEQ_FEATURE_SIZE.
        let kernelSize = UInt(percolate_auxiliary(27))
        if result.registration == .glibc { result.areaSize = max(Int(glibcSize), 32) }
        result.knownSize = Int(min(kernelSize, UInt(result.areaSize)))
        result.hasMMCID = result.knownSize >= 28
        let useMMCID =
            switch options.index {
            case .automatic: allowedCPUs >= 16
            case .cpuID: false
            case .mmCID: true
            }
        result.index = result.hasMMCID && useMMCID ? .mmCID : .cpuID
        result.indexOffset = result.index == .mmCID ? result.mmCIDOffset : result.cpuOffset

        if options.membarrier {
            let register = Int32(bitPattern: MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ.rawValue)
            result.isFenceRegistered = percolate_membarrier(register, 0, 0) == 0
        }
        // On a weakly ordered machine the fence also keeps the stores of one CPU in order for
        // another.
        return Self.areStoresOrdered || result.isFenceRegistered ? result : Sequences()
    }

    /// Whether every CPU sees the stores of another in their order. Elsewhere plain stores are
    /// ordered by locks, by acquire and release, and by the fence, which is a full barrier on every
    /// CPU that runs this process.
    static var areStoresOrdered: Bool {
        #if arch(x86_64)
            true
        #else
            false
        #endif
    }

    /// Has holders of locks ask for longer time slices, where the kernel and the thread's area have
    /// them (`<percolate/time_slice.h>`). Once, by the first thread.
    ///
    /// A process that came under a filter does so only on request: the filter may end it for a
    /// system call that it does not know.
    func startSlices(_ choice: Options.Choice) {
        guard registration != .none, choice != .off else { return }
        _ = percolate_start_slices(areaOffset &- 8, UInt32(knownSize), choice == .on)
    }

    /// The index of the calling thread: negative while it is not registered.
    @inline(__always)
    func currentIndex() -> Int { Int(percolate_rseq_field(indexOffset)) }

    /// Registers the calling thread where that is our task and was not done. False when it stays
    /// unregistered.
    func registerThread() -> Bool {
        if percolate_rseq_field(cpuOffset) >= 0 { return true }
        return registration == .own && percolate_is_restricted() == 0 && register() == 0
    }

    /// Registers the calling thread although its area may say that it is registered. False when the
    /// kernel refuses.
    func registerAgain() -> Bool {
        guard registration != .none else { return true }
        let outcome = register()
        return outcome == 0 || outcome == -Int(EBUSY)
    }

    private func register() -> Int { percolate_rseq_register(areaOffset &- 8, UInt32(areaSize)) }

    /// Aborts every section that another thread may be in on `cpu`, a CPU number, or on all CPUs
    /// when nil, for gates whose index is a concurrency id; a full barrier besides (membarrier(2)).
    /// False when the kernel refuses.
    func fence(cpu: Int?) -> Bool {
        #if PERCOLATE_WITHOUT_FENCE
            // A test build: the stress must fail without the fence.
            return true
        #else
            let command = Int32(bitPattern: MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ.rawValue)
            guard canFence else { return false }
            guard let cpu else { return percolate_membarrier(command, 0, 0) == 0 }
            return percolate_membarrier(command, UInt32(MEMBARRIER_CMD_FLAG_CPU.rawValue), Int32(cpu)) == 0
        #endif
    }

    /// Aborts every section that another thread may be in, and lets all threads see what this one
    /// stored. False when the kernel refuses.
    func fenceAll() -> Bool {
        let command = Int32(bitPattern: MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ.rawValue)
        return canFence && percolate_membarrier(command, 0, 0) == 0
    }
}
