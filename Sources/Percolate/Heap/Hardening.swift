import CPercolate

/// How much a heap checks. <doc:LevelsOfHardening> says what each level finds, and what it costs.
public enum Hardening: Int, Sendable, Codable, Comparable {
    /// What costs the fast path nothing.
    case off
    /// Every deallocation is looked up: double ones, and pointers into blocks, end the process in
    /// the call.
    case basic
    /// All that memory can show: also overflows, and writes after deallocation.
    case full

    public static func < (left: Hardening, right: Hardening) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension ProcessHeap {
    /// Checks from here on at least as much as `level` says. A process never becomes less strict.
    ///
    /// Blocks from before are recognized, and checked as far as their pages tell: double
    /// deallocations and pointers into blocks are found, overflows are not. Any thread may call
    /// this at any time, but no signal handler.
    ///
    /// - Parameter level: what the heap checks at least.
    /// - Returns: false where the heap is as it was: the kernel has no addresses for the tables, or
    ///   no membarrier(2) to reach the caches of other CPUs, or a preloaded heap is older than this
    ///   function.
    @discardableResult
    public static func harden(_ level: Hardening) -> Bool {
        let table = unsafe HeapAccess.current.table
        let known = unsafe MemoryLayout<percolate_heap_interface>.size
        guard unsafe Int(table.pointee.size) >= known else { return false }
        return unsafe table.pointee.harden(Int32(level.rawValue)) == 0
    }
}
