import CPercolate

/// Counts what all threads allocate and free, from its start to its end, where these are not in one
/// function: in a test's set-up and clean-up, or in the hooks of a benchmark. Otherwise take
/// `ProcessHeap.countAllocations(in:)`, which says the rest.
///
/// Keep it in a function or in a type: a global variable cannot be consumed, and so not be ended. A
/// scope that goes out of existence ends without a result. May be sent to another thread, and be
/// ended there. Not for signal handlers.
@safe
public struct AllocationScope: ~Copyable, @unchecked Sendable {
    /// Allocated before the scope counts, and freed after.
    private let scope: UnsafeMutablePointer<percolate_counting_scope>

    /// Starts to count.
    public init() {
        unsafe scope = .allocate(capacity: 1)
        unsafe scope.initialize(to: percolate_counting_scope())
        unsafe HeapAccess.current.table.pointee.begin_counting(scope)
    }

    deinit { _ = unsafe Self.end(scope) }

    /// Stops and returns the counts.
    public consuming func end() -> AllocationCounts {
        let counts = unsafe Self.end(scope)
        discard self
        return counts
    }

    private static func end(_ scope: UnsafeMutablePointer<percolate_counting_scope>) -> AllocationCounts {
        unsafe HeapAccess.current.table.pointee.end_counting(scope)
        let figures = unsafe scope.pointee
        unsafe scope.deallocate()
        var counts = AllocationCounts()
        counts.allocations = unsafe Int(figures.allocations)
        counts.deallocations = unsafe Int(figures.deallocations)
        counts.allocatedBytes = unsafe Int(figures.allocated_bytes)
        counts.deallocatedBytes = unsafe Int(figures.deallocated_bytes)
        counts.peakBytes = unsafe Int(figures.peak_bytes)
        return counts
    }
}
