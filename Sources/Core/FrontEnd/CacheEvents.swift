import CPercolate

extension Counter {
    static var refills: Counter { Counter(0) }
    static var refilledObjects: Counter { Counter(1) }
    static var drains: Counter { Counter(2) }
    static var drainedObjects: Counter { Counter(3) }
    static var steals: Counter { Counter(4) }
    static var stolenObjects: Counter { Counter(5) }
    static var capacityChanges: Counter { Counter(6) }
    /// Blocks that the middle tier gave or took one at a time, around the caches.
    static var directAllocations: Counter { Counter(14) }
    static var directFrees: Counter { Counter(15) }
}

/// Blocks were taken from below for the cache of `index`.
@inline(__always)
func announceRefill(_ count: Int, ofSize size: Int, at index: Int) {
    guard percolate_refill_is_traced() != 0 else { return }
    percolate_trace_refill(Int32(truncatingIfNeeded: index), UInt64(size), UInt64(count))
}

/// Blocks were moved out of the cache of `index`, to go down.
@inline(__always)
func announceDrain(_ count: Int, ofSize size: Int, at index: Int) {
    guard count > 0, percolate_drain_is_traced() != 0 else { return }
    percolate_trace_drain(Int32(truncatingIfNeeded: index), UInt64(size), UInt64(count))
}

@inline(__always)
func announceSteal(_ count: Int, from victim: Int, by index: Int) {
    guard percolate_steal_is_traced() != 0 else { return }
    percolate_trace_steal(Int32(truncatingIfNeeded: index), Int32(truncatingIfNeeded: victim), UInt64(count))
}
