import Percolate
import Synchronization

/// What was allocated and freed while the counting was on, on all threads. Bytes are those of whole blocks.
public struct Statistics: Sendable {
    /// Blocks allocated.
    public var mallocCount = 0
    /// Bytes of the blocks allocated.
    public var mallocBytesCount = 0
    /// Blocks allocated out of spans of their size class.
    public var mallocSmallCount = 0
    /// Blocks allocated that have a span of their own.
    public var mallocLargeCount = 0
    /// Blocks freed.
    public var freeCount = 0
    /// Bytes of the blocks freed.
    public var freeBytesCount = 0

    /// All counts 0.
    public init() {}
}

/// Is told each allocation's size, where the allocator can do that.
public typealias AllocationHook = @Sendable (Int) -> Void

/// The counts of ended scopes, and the scope that counts now, if any.
private struct Counting: ~Copyable {
    var statistics = Statistics()
    var scope: AllocationScope?
    var largeBefore = 0

    mutating func begin() {
        largeBefore = ProcessHeap.statistics.process.largeAllocations
        scope = AllocationScope()
    }

    mutating func end() {
        guard let scope = scope.take() else { return }
        let counts = scope.end()
        let large = ProcessHeap.statistics.process.largeAllocations - largeBefore
        statistics.mallocCount += counts.allocations
        statistics.mallocBytesCount += counts.allocatedBytes
        statistics.mallocLargeCount += large
        statistics.mallocSmallCount += counts.allocations - large
        statistics.freeCount += counts.deallocations
        statistics.freeBytesCount += counts.deallocatedBytes
    }
}

private let counting = Mutex(Counting())

/// Does nothing: Percolate started before the program.
public func initialize() {}

/// Starts to count. Every allocation takes a slower path until ``unhook()``.
///
/// Ends the process where Percolate is not its `malloc`: all counts would be 0 and look like a result.
public func hook() {
    precondition(ProcessHeap.servesMalloc, "malloc metrics: link the benchmark with percolate_malloc")
    counting.withLock { counting in
        counting.end()
        counting.begin()
    }
}

/// Stops counting.
public func unhook() { counting.withLock { $0.end() } }

/// The counts since the process began, of the times between ``hook()`` and ``unhook()``.
public func getStatistics() -> Statistics {
    counting.withLock { counting in
        let isCounting = counting.scope != nil
        counting.end()
        let statistics = counting.statistics
        if isCounting { counting.begin() }
        return statistics
    }
}

/// Ends the process for any hook but nil: Percolate counts allocations and does not report each.
public func setAllocationHook(_ hook: AllocationHook?) {
    precondition(hook == nil, "Percolate counts allocations and does not report each: no --allocation-stacks")
}
