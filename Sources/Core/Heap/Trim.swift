import CPercolate
import Synchronization

/// Giving memory back at the program's wish.
extension Heap {
    /// Empties the caches and releases every free page. Whether any memory went back.
    static func trim() -> Bool {
        guard ensureStarted() else { return false }
        takeDeferred()
        _ = FrontEnd.drainAll()
        let released = releaseAllFreePages()
        releaseMetadata()
        return released > 0
    }

    /// What malloc_trim(3) does: `trim`, but only once in a tick of the clock (1 to 10 ms) unless
    /// much is free.
    ///
    /// Some programs trim after every few operations. Each trim costs them the blocks in their
    /// caches and the faults of their pages, which they want back a microsecond later. What such a
    /// call leaves is bounded: the caches, and a sixteenth of the pages in use.
    static func trimIfDue(at now: UInt64 = percolate_milliseconds()) -> Bool {
        guard ensureStarted() else { return false }
        let isDue = heapState.pointee.trimmedAt.exchange(now, ordering: .relaxed) != now
        return isDue || hasManyFreePages ? trim() : false
    }

    /// Whether more than 256 KiB and a sixteenth of the pages in use are free and resident. Read
    /// without the arena's lock: a hint.
    private static var hasManyFreePages: Bool {
        arena.retention.resident > 64 &+ arena.inUse / 16
    }
}
