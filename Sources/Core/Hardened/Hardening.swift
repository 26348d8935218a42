import CPercolate
import Synchronization

/// How much the heap checks.
///
/// A process only becomes stricter. So a check that was once made never stops being made, and a
/// block knows for its whole life what was noted about it.
enum Hardening {
    private static let current = Atomic<Int>(0)

    /// True between the decision for `full` and the end of the process. Read before every operation
    /// of the slow path.
    @inline(__always)
    static var isFull: Bool { current.load(ordering: .relaxed) == HardeningLevel.full.rawValue }

    @inline(__always)
    static var isBasic: Bool { current.load(ordering: .relaxed) == HardeningLevel.basic.rawValue }

    static var level: HardeningLevel {
        HardeningLevel(rawValue: current.load(ordering: .relaxed)) ?? .off
    }

    /// Makes the tables that `level` needs. False when the kernel has no addresses for them. The
    /// caller keeps others from doing the same.
    static func prepare(for level: HardeningLevel, quarantine: UInt) -> Bool {
        switch level {
        case .off: return true
        case .basic: return marks.start(pages: arena.limit)
        case .full:
            FencedBlocks.start()
            return records.start(pages: arena.limit) && emptyBlocks.start()
                && quarantineRing.start(limit: quarantine)
                && freeBlockPool.start()
        }
    }

    /// Makes a level, that is prepared, the one that every operation sees.
    static func raise(to level: HardeningLevel) {
        current.store(level.rawValue, ordering: .releasing)
    }
}

/// Numbers that nobody outside the process can guess, and that differ from call to call.
enum SecretNumbers {
    private static let calls = Atomic<UInt64>(0)

    /// The mixing function of splitmix64, of a count and the kernel's random bits.
    static func next() -> UInt64 {
        mix(
            percolate_random()
                &+ calls.wrappingAdd(0x9e37_79b9_7f4a_7c15, ordering: .relaxed).newValue)
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var word = value
        word = (word ^ word &>> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word &>> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word &>> 31
    }
}
