import CPercolate
import Synchronization

/// The caches of all CPUs, and how the calling thread finds its own.
enum FrontEnd {
    /// The first is the one before start-up.
    enum Mode {
        /// Gates stay closed and slabs unused: every operation takes the middle tier
        /// (`HardeningLevel.full`).
        case hardened
        /// Sections on the slabs of open gates.
        case sections
        /// No restartable sequences: slabs are used under the locks, gates stay closed.
        case locked
    }

    struct State: ~Copyable {
        var mode: Mode
        /// Calls of vfork that have not returned in their parent. While it is not 0 nobody runs a
        /// section.
        let suspensions: Atomic<Int>
        var sequences: Sequences
        /// Indexes that have a gate: every CPU number that the kernel may ever use.
        var indexCount: Int
        var caches: Table<PerCPUCache>
        /// Address of the slab of closed gates.
        var closed: UInt64
        /// Bytes that a CPU may hold to begin with, and whether it may hold more in a large heap.
        var budget: UInt
        var mayExceedBudget: Bool
        /// CPUs that have a slab.
        let slabCount: Atomic<Int>
        /// When idle CPUs were last stolen from, and when their budget was last taken.
        let lastStealing: Atomic<UInt64>
        let lastTaking: Atomic<UInt64>
        /// Budget that was taken from idle CPUs and found no taker.
        let spareBudget: Atomic<UInt>
    }

    @inline(__always)
    static var state: UnsafeMutablePointer<State> { pinned(&frontEndState.pointee.frontEnd) }

    @inline(__always)
    static var mode: Mode { state.pointee.mode }
    @inline(__always)
    static var isSuspended: Bool { state.pointee.suspensions.load(ordering: .relaxed) != 0 }
    @inline(__always)
    static var sequences: Sequences { state.pointee.sequences }
    @inline(__always)
    static var indexCount: Int { state.pointee.indexCount }
    @inline(__always)
    static var caches: Table<PerCPUCache> { state.pointee.caches }
    @inline(__always)
    static var closed: UInt64 { state.pointee.closed }

    /// The index of the calling thread, which registers here if it has to. Nil where the thread
    /// cannot have one now.
    @inline(__always)
    static func currentIndex() -> Int? {
        guard !isSuspended else { return nil }
        switch mode {
        case .sections:
            var index = sequences.currentIndex()
            // The concurrency id of a thread that is not registered may read as any: its cpu_id
            // tells.
            if index < 0 || sequences.registration == .own || sequences.index == .mmCID {
                guard sequences.registerThread() else { return nil }
                index = sequences.currentIndex()
            }
            return index >= 0 && index < indexCount ? index : nil
        case .locked:
            let cpu = Int(percolate_current_cpu())
            return cpu >= 0 ? cpu % indexCount : nil
        case .hardened: return nil
        }
    }

    /// The lock of a cache, which is its gate's.
    @inline(__always)
    static func lock(_ index: Int) -> Lock { Lock(at: UInt(bitPattern: caches[index])) }

    @inline(__always)
    static func gateWord(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        pointer(UInt(front.tables) &+ UInt(PERCOLATE_TABLE_GATES) &+ UInt(index) &* 8)
    }

    @inline(__always)
    static func gate(_ index: Int) -> Gate {
        Gate(
            word: gateWord(index), lock: lock(index), index: index,
            indexOffset: sequences.indexOffset, closed: closed)
    }

    /// The slab of an index to use now. Nil when the CPU has none yet, or where its gate is closed
    /// to sections.
    @inline(__always)
    static func usableSlab(_ index: Int) -> Slab? {
        if mode == .locked {
            let address = caches[index].pointee.slab
            return address == 0 ? nil : Slab(address: address)
        }
        let value = gateWord(index).pointee.load(ordering: .acquiring)
        return value == closed ? nil : Slab(address: value)
    }

    /// Gives an index its slab and opens its gate. False when somebody else is about it or there is
    /// no memory.
    static func setUp(_ index: Int) -> Bool {
        let cache = caches[index]
        let gate = gate(index)
        guard gate.lock.tryAcquire() else { return false }
        defer { gate.lock.release() }
        if cache.pointee.slab == 0 {
            guard var memory = Reservation.reserve(Slab.size) else { return false }
            guard memory.commit(UInt(Slab.firstWord) &* 8, step: 4096) else {
                _ = percolate_munmap(memory.address, Int(memory.size))
                return false
            }
            cache.pointee.memory = memory
            cache.pointee.budget = state.pointee.budget
            cache.pointee.regions.clear()
            if Countdown.isOn { Countdown.start(Slab(address: UInt64(memory.address))) }
            // First, so that `SlabIndexes` rather looks for one too many than for one too few.
            state.pointee.slabCount.wrappingAdd(1, ordering: .sequentiallyConsistent)
            cache.pointee.slab = UInt64(memory.address)
        }
        if mode == .sections { gate.open(cache.pointee.slab) }
        return true
    }

    /// Notes that the process runs on a CPU.
    @inline(__always)
    static func touch(_ index: Int, _ milliseconds: UInt64) {
        caches[index].pointee.lastUsed.store(milliseconds, ordering: .relaxed)
        ScavengerSleep.end()
    }
}
