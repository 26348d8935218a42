import CPercolate
import Synchronization

/// Where the scavenger sleeps while there is nothing for it to do, and how slow paths wake it: a process that does nothing has no
/// thread that wakes up.
enum ScavengerRest {
    /// 1 while the scavenger sleeps or is about to. The kernel compares the low half.
    private static var word: UnsafeMutablePointer<Atomic<UInt>> { pointer(percolate_scavenger_rest_address()) }

    /// Ends the rest, if there is one: one relaxed load otherwise, for slow paths. Without a scavenger nobody rests. Safe in
    /// signal handlers.
    @inline(__always)
    static func end() {
        if word.pointee.load(ordering: .relaxed) != 0 { wake() }
    }

    @inline(never)
    private static func wake() {
        guard word.pointee.exchange(0, ordering: .sequentiallyConsistent) != 0 else { return }
        _ = percolate_futex_wake(pointer(percolate_scavenger_rest_address()), 1)
    }

    /// Says that the scavenger wants to rest. What happens in slow paths from here on ends the rest.
    static func begin() { word.pointee.store(1, ordering: .sequentiallyConsistent) }

    /// Sleeps until the rest is ended.
    static func sleep() {
        while word.pointee.load(ordering: .acquiring) != 0 {
            _ = percolate_futex_wait(pointer(percolate_scavenger_rest_address()), 1)
        }
    }

    /// After fork, in the child: nobody sleeps here.
    static func forget() { word.pointee.store(0, ordering: .relaxed) }
}
