import CPercolate
import Synchronization

/// What full hardening knows about a block: its state, what was asked for, and when and by which
/// thread it was last allocated or freed. 16 bytes, apart from the block.
///
/// The first word changes as a whole. Whoever changes `live` to `busy` owns the block until the
/// next change: so of two threads that free it, one is told that it is freed already.
struct BlockRecord: ~Copyable {
    enum State: UInt64 {
        /// Nothing was noted: never handed out, or handed out before the process was hardened.
        case unknown
        case live
        /// Somebody frees or resizes it.
        case busy
        case quarantined
        /// Left the quarantine, or lies in the pool.
        case free
        /// Live, and somebody looks at its canary for a moment.
        case checked
        /// No block: the record holds a number that belongs to a large block (`FencedBlocks`).
        case link
    }

    /// The first word: the state, log2 of the alignment that was asked for (0 for the default), and
    /// the asked size.
    struct Facts: Equatable {
        let word: UInt64

        init(word: UInt64) { self.word = word }

        init(_ state: State, size: Int, alignment: Int) {
            let power = alignment <= 16 ? 0 : alignment.trailingZeroBitCount
            word = state.rawValue | UInt64(power) &<< 3 | UInt64(size) &<< 9
        }

        var state: State { State(rawValue: word & 7) ?? .unknown }
        var size: Int { Int(word &>> 9) }
        /// 0 for the default.
        var alignment: Int {
            let power = Int(word &>> 3) & 63
            return power == 0 ? 0 : 1 &<< power
        }

        func with(_ state: State) -> Facts { Facts(word: word & ~7 | state.rawValue) }
    }

    private let first = Atomic<UInt64>(0)
    private let second = Atomic<UInt64>(0)

    static var stride: UInt { 16 }

    var facts: Facts { Facts(word: first.load(ordering: .acquiring)) }

    /// The thread that changed the block last, and the milliseconds at which it did.
    var thread: Int { Int(second.load(ordering: .relaxed) & 0x3f_ffff) }
    var time: UInt64 { second.load(ordering: .relaxed) &>> 22 }

    func set(_ facts: Facts) { first.store(facts.word, ordering: .releasing) }

    /// Notes that the block is free, and was never handed out.
    func setNeverAllocated() {
        second.store(0, ordering: .relaxed)
        set(Facts(.free, size: 0, alignment: 0))
    }

    /// Makes the record say nothing.
    func forget() { set(Facts(word: 0)) }

    var wasAllocated: Bool { facts.state != .unknown && second.load(ordering: .relaxed) != 0 }

    /// Whether the record was `old` until now, and is `new` from here on.
    func exchange(_ old: Facts, for new: Facts) -> Bool {
        first.compareExchange(
            expected: old.word, desired: new.word, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Notes that the calling thread allocates or frees the block now.
    func stamp() {
        let thread = UInt64(truncatingIfNeeded: percolate_thread_number()) & 0x3f_ffff
        second.store(percolate_milliseconds() &<< 22 | thread, ordering: .relaxed)
    }

    /// What the record says, for a line about the block at `block`.
    func report(_ block: UInt, changed: Int? = nil) -> BlockReport {
        let facts = facts
        let event: BlockReport.Event =
            switch facts.state {
            case .unknown, .link: .none
            case .live, .checked, .busy: .allocated
            case .quarantined, .free: wasAllocated ? .freed : .none
            }
        return BlockReport(
            block: block, size: facts.size, event: event, age: percolate_milliseconds() &- time,
            thread: thread,
            changed: changed)
    }

    /// Makes the record one that holds a number.
    func setLink(_ number: UInt64) {
        second.store(number, ordering: .relaxed)
        first.store(State.link.rawValue, ordering: .releasing)
    }

    /// The number; nil where the record is another's.
    var link: UInt64? { facts.state == .link ? second.load(ordering: .relaxed) : nil }
}
