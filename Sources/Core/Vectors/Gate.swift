import CPercolate
import Synchronization

/// The gate of one CPU: a word that every section of a kind loads, inside the section, before it
/// touches that CPU's data.
///
/// Protocol. The closer takes `lock`, makes the word read `closed`, and sees to it that no section
/// that loaded the old value can still commit. Then it owns the data, with plain loads and stores,
/// until it stores the open value again, with release order, and gives the lock back.
///
/// Why no section survives a close:
///
/// - Same CPU: the store of `closed` is the commit of a section that checked the index. When it
///   commits, every other thread that loaded the open value on this CPU is switched out, in its
///   section, and is aborted before it runs again. A thread that starts a section later does so
///   after a context switch, a full barrier, and loads `closed`. The closer may migrate after the
///   commit: what counts is the moment of the store. A plain store would not do: the closer could
///   be preempted between the check of the index and the store.
/// - Otherwise the store is plain and a fence follows (membarrier(2), rseq form). A thread that
///   runs a section on that CPU is interrupted: it has committed, visibly, or is aborted. One that
///   is switched out in a section is aborted on resume. One that comes later passed a full barrier
///   after the store, and loads `closed`.
///
/// The lock is taken first in both ways and is never taken by a section: a remote compare-and-swap
/// could hit between a section's load and its commit.
///
/// An open value seen by a section implies the holder's stores: loads are ordered on x86-64, and on
/// weaker machines every address a slab section uses depends on the value loaded.
struct Gate {
    /// How a gate was closed.
    enum Closing { case local, fenced }

    let word: UnsafeMutablePointer<Atomic<UInt64>>
    let lock: Lock
    /// The CPU number, or the concurrency id, that the gate belongs to.
    let index: Int
    /// Offset from the thread pointer of the field that `index` is a value of.
    let indexOffset: Int
    let closed: UInt64

    var value: UInt64 { word.pointee.load(ordering: .acquiring) }

    /// Closes the gate, whose lock the caller holds. Nil, with the gate as it was, when the machine
    /// cannot fence.
    ///
    /// - Parameter locally: false where the thread's rseq area cannot be trusted, and only the
    ///   fence will do.
    func close(_ sequences: Sequences, locally: Bool = true) -> Closing? {
        let open = value
        let cell = UnsafeMutableRawPointer(word).assumingMemoryBound(to: UInt64.self)
        if locally, sequences.registration != .none {
            // One abort may be chance, several are a debugger: a section alone would then never
            // finish.
            for _ in 0..<2 {
                let result = percolate_section_close(
                    cell, closed, Int64(index), Int64(indexOffset), Int64(sequences.areaOffset))
                if result == PERCOLATE_SECTION_DONE.rawValue {
                    tally(.gatesClosedLocal, at: index)
                    announceClose(how: 0, nanoseconds: 0)
                    return .local
                }
                if result == PERCOLATE_SECTION_ELSEWHERE.rawValue { break }
                tally(.sectionsAborted, at: index)
            }
        }
        let start = percolate_gate_close_is_traced() != 0 ? percolate_nanoseconds() : 0
        word.pointee.store(closed, ordering: .relaxed)
        guard sequences.fence(cpu: indexOffset == sequences.cpuOffset ? index : nil) else {
            word.pointee.store(open, ordering: .releasing)
            return nil
        }
        tally(.gatesClosedRemote, at: index)
        announceClose(how: 1, nanoseconds: start == 0 ? 0 : percolate_nanoseconds() &- start)
        return .fenced
    }

    /// Opens the gate to `value`, after everything the holder stored.
    @inline(__always)
    func open(_ value: UInt64) {
        word.pointee.store(value, ordering: .releasing)
        if percolate_gate_open_is_traced() != 0 { percolate_trace_gate_open(Int32(truncatingIfNeeded: index), address) }
    }

    private var address: UInt64 { UInt64(UInt(bitPattern: word)) }

    @inline(__always)
    private func announceClose(how: Int32, nanoseconds: UInt64) {
        guard percolate_gate_close_is_traced() != 0 else { return }
        percolate_trace_gate_close(Int32(truncatingIfNeeded: index), address, how, nanoseconds)
    }
}

extension Counter {
    /// Vectors that ran as a section, and behind a closed gate.
    static var vectorsLocal: Counter { Counter(7) }
    static var vectorsRemote: Counter { Counter(8) }
    static var sectionsAborted: Counter { Counter(9) }
    /// By a section on the gate's CPU, and by a fence.
    static var gatesClosedLocal: Counter { Counter(10) }
    static var gatesClosedRemote: Counter { Counter(11) }
}
