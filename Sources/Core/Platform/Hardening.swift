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

    /// Makes a level, that is prepared, the one that every operation sees.
    static func raise(to level: HardeningLevel) {
        current.store(level.rawValue, ordering: .releasing)
    }
}
