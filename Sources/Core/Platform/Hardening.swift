import CPercolate
import Synchronization

/// How much the heap checks.
///
/// A heap only becomes stricter. So a check that was once made never stops being made, and a
/// block knows for its whole life what was noted about it.
enum Hardening {
    /// True between the decision for `full` and the end of the process. Read before every operation
    /// of the slow path.
    @inline(__always)
    static var isFull: Bool { current == HardeningLevel.full.rawValue }

    @inline(__always)
    static var isBasic: Bool { current == HardeningLevel.basic.rawValue }

    static var level: HardeningLevel { HardeningLevel(rawValue: current) ?? .off }

    @inline(__always)
    private static var current: Int { platformState.pointee.hardening.load(ordering: .relaxed) }

    /// Makes a level, that is prepared, the one that every operation sees.
    static func raise(to level: HardeningLevel) {
        platformState.pointee.hardening.store(level.rawValue, ordering: .releasing)
    }
}
