import CPercolate
import Synchronization

/// Blocks freed by signal handlers that interrupted the allocator. The next slow path that finds
/// all locks free takes them.
///
/// A stack without a lock, linked through the blocks: pushes race with pushes, and one exchange
/// takes everything, so no block can come back while somebody still looks at it.
enum DeferredFrees {
    static func add(_ address: UInt) {
        let link: UnsafeMutablePointer<UInt> = pointer(address)
        var seen = emergencyState.pointee.deferredFrees.load(ordering: .relaxed)
        while true {
            link.pointee = seen
            let (exchanged, original) = emergencyState.pointee.deferredFrees.compareExchange(
                expected: seen, desired: address, ordering: .releasing)
            if exchanged { return }
            seen = original
        }
    }

    /// Whether anything waits.
    @inline(__always)
    static var isEmpty: Bool { emergencyState.pointee.deferredFrees.load(ordering: .relaxed) == 0 }

    /// Calls `body` with each block, none of which is linked any more. Those that are left lie in
    /// the thread's record, for when it is lost. Not in signal handlers that interrupted the
    /// allocator: the record is the interrupted frame's.
    static func takeAll(_ body: (UInt) -> Void) {
        let first = emergencyState.pointee.deferredFrees.exchange(0, ordering: .acquiring)
        percolate_this_thread().pointee.frees = first
        takeHeld(body)
    }

    /// Puts back what a lost visit of the calling thread had taken.
    static func addHeld() { takeHeld { add($0) } }

    private static func takeHeld(_ body: (UInt) -> Void) {
        let thread: UnsafeMutablePointer<percolate_thread> = percolate_this_thread()
        while thread.pointee.frees != 0 {
            let block = thread.pointee.frees
            let link: UnsafeMutablePointer<UInt> = pointer(block)
            thread.pointee.frees = link.pointee
            body(block)
        }
    }
}
