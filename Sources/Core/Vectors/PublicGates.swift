import CPercolate
import Synchronization

/// The gates of the users' vectors and sections, and the running of a vector behind one of them.
///
/// There is a set for CPU numbers and one for concurrency ids, whatever the slab gates are indexed
/// by: a program's data belongs to one of them. None of these gates is ever held by the allocator.
/// They open only where the machine can close them again: a process without sections, or without
/// the fence, keeps them closed, its public sections leave for the vector, and vectors need nothing
/// but the lock.
struct PublicGates: ~Copyable {
    private var sequences = Sequences()
    /// Whether a vector has run.
    private let areUsed = Atomic<Bool>(false)
    /// CPU numbers from 0 that have a gate to use; 0 until somebody has asked.
    private let knownCount = Atomic<Int>(0)

    init() {}

    /// Says how the process uses sections. The gates stay closed until the first vector: most
    /// programs never use one, and their start shall not pay for it.
    mutating func start(_ sequences: Sequences) { self.sequences = sequences }

    /// Opens the gates before the first vector runs. A section that finds its gate closed leaves
    /// for a vector, so it gets here.
    ///
    /// The lock of gate 0 guards this step, so that fork needs no other lock while no vector has
    /// run.
    private func openAll() {
        var saved: UInt64 = 0
        _ = percolate_block_signals(&saved)
        defer { _ = percolate_restore_signals(&saved) }
        let first = gate(0, PERCOLATE_GATE_OF_CPU).lock
        guard first.acquire() == .entered else { return }
        defer { first.release() }
        guard !areUsed.load(ordering: .relaxed) else { return }
        if mayOpen {
            for cpu in 0..<count { gate(cpu, PERCOLATE_GATE_OF_CPU).open(Self.open) }
            if sequences.hasMMCID {
                for id in 0..<count { gate(id, PERCOLATE_GATE_OF_MM_CID).open(Self.open) }
            }
        }
        areUsed.store(true, ordering: .releasing)
    }

    /// One more than the highest CPU number that the machine may use: below it lie all that vectors
    /// may name. Vectors may run before start-up, so the first caller finds out.
    var count: Int {
        let known = knownCount.load(ordering: .relaxed)
        if known > 0 { return known }
        let count = possibleCPUCount()
        knownCount.store(count, ordering: .relaxed)
        return count
    }

    /// Whether gates open at all: where the machine can close them again.
    private var mayOpen: Bool { sequences.registration == .glibc && sequences.canFence }

    /// Whether the machine can have a CPU of that number. Concurrency ids have the same bound.
    func isPossible(_ cpu: Int) -> Bool { cpu >= 0 && cpu < count }

    /// Whether sections may be indexed by concurrency ids.
    var haveMMCID: Bool { mayOpen && sequences.hasMMCID }

    /// Runs a vector whose operands have been probed, alone on the CPU, or on the concurrency id,
    /// `index`.
    ///
    /// Signals stay blocked while the lock is held: a handler that issues a vector for the same CPU
    /// would wait for the thread that it interrupts. They are open while the thread waits.
    ///
    /// - Parameter locally: whether the thread may close the gate by a section. Not around vfork:
    ///   the child is taken for its parent, wherever it runs.
    /// - Returns: as `executeToleratingFaults`.
    func run(
        _ operations: UnsafePointer<cpu_op>, count: Int, behind index: Int, of kind: percolate_gate_index, locally: Bool
    ) -> Int {
        if !areUsed.load(ordering: .acquiring) { openAll() }
        let gate = gate(index, kind)
        var saved: UInt64 = 0
        _ = percolate_block_signals(&saved)
        var hasWaited = false
        while !gate.lock.tryAcquire(hasWaited: hasWaited) {
            _ = percolate_restore_signals(&saved)
            gate.lock.awaitRelease()
            hasWaited = true
            _ = percolate_block_signals(&saved)
        }
        // The kernel leaves the id 0 in the area of a thread that the program unregistered: its CPU
        // number says that it is.
        let knowsItsIndex = kind == PERCOLATE_GATE_OF_CPU || percolate_rseq_field(sequences.cpuOffset) >= 0
        let result = runHolding(gate, operations, count: count, locally: locally && knowsItsIndex)
        gate.lock.release()
        _ = percolate_restore_signals(&saved)
        return result
    }

    /// Frees the locks of lost threads, and opens the gates that they had closed.
    func recover(_ isLost: (UInt32) -> Bool) {
        // Gate 0 has the lock of the first vector, too.
        for index in 0..<(areUsed.load(ordering: .relaxed) ? count : min(count, 1)) {
            let cpu = gate(index, PERCOLATE_GATE_OF_CPU)
            recover(cpu, isLost, mayOpen: mayOpen && sequences.fence(cpu: index))
            let id = gate(index, PERCOLATE_GATE_OF_MM_CID)
            recover(id, isLost, mayOpen: haveMMCID && sequences.fence(cpu: nil))
        }
    }

    private func recover(_ gate: Gate, _ isLost: (UInt32) -> Bool, mayOpen: @autoclosure () -> Bool) {
        let owner = gate.lock.owner
        guard owner != 0, isLost(owner), gate.lock.takeOver(from: owner) else { return }
        if areUsed.load(ordering: .relaxed), mayOpen() { gate.open(Self.open) }
        gate.lock.release()
    }

    private static var open: UInt64 { UInt64(PERCOLATE_GATE_OPEN) }
    private static var closed: UInt64 { UInt64(PERCOLATE_GATE_CLOSED) }

    private func gate(_ index: Int, _ kind: percolate_gate_index) -> Gate {
        let state = UInt(bitPattern: percolate_public_gate(Int32(truncatingIfNeeded: index), kind))
        let offset = kind == PERCOLATE_GATE_OF_CPU ? sequences.cpuOffset : sequences.mmCIDOffset
        return Gate(
            word: pointer(state), lock: Lock(at: state &+ 8), index: index, indexOffset: offset, closed: Self.closed)
    }

    private func runHolding(_ gate: Gate, _ operations: UnsafePointer<cpu_op>, count: Int, locally: Bool) -> Int {
        guard gate.value == Self.open else {
            // No section can be inside: this gate has never been open, or was closed for good
            // below.
            tally(.vectorsLocal, at: gate.index)
            return executeToleratingFaults(operations, count: count, cpu: gate.index)
        }
        let closing = gate.close(sequences, locally: locally)
        if closing == nil {
            // The fence worked at start and is refused now, by a filter installed since. The gate
            // stays closed for good. A section that is inside has a few instructions left unless it
            // is preempted, and then it is aborted: give it time.
            gate.word.pointee.store(Self.closed, ordering: .releasing)
            percolate_nap(Self.napMilliseconds)
        }
        let result = executeToleratingFaults(operations, count: count, cpu: gate.index)
        tally(closing == .local ? .vectorsLocal : .vectorsRemote, at: gate.index)
        if closing != nil { gate.open(Self.open) }
        return result
    }

    private static var napMilliseconds: UInt64 { 20 }
}

/// Started by start-up, before it lets the first section run.
///
/// A global, and no part of a heap: the words of these gates are the process's own, which programs
/// find by name (<percolate/gates.h>).
nonisolated(unsafe) var publicGates = PublicGates()
