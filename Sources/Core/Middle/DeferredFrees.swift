import CPercolate
import Synchronization

/// Blocks freed by signal handlers that interrupted the allocator. The next slow path that finds all locks free takes them.
///
/// A stack without a lock, linked through the blocks: pushes race with pushes, and one exchange takes everything, so no block can come back
/// while somebody still looks at it.
enum DeferredFrees {
    private static let head = Atomic<UInt>(0)

    static func add(_ address: UInt) {
        let link: UnsafeMutablePointer<UInt> = pointer(address)
        var seen = head.load(ordering: .relaxed)
        while true {
            link.pointee = seen
            let (exchanged, original) = head.compareExchange(expected: seen, desired: address, ordering: .releasing)
            if exchanged { return }
            seen = original
        }
    }

    /// Whether anything waits.
    @inline(__always)
    static var isEmpty: Bool { head.load(ordering: .relaxed) == 0 }

    /// Calls `body` with each block, none of which is linked any more.
    static func takeAll(_ body: (UInt) -> Void) {
        var next = head.exchange(0, ordering: .acquiring)
        while next != 0 {
            let link: UnsafeMutablePointer<UInt> = pointer(next)
            let block = next
            next = link.pointee
            body(block)
        }
    }
}
