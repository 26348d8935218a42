import CPercolate
import Synchronization

/// The order in which a thread may wait for locks: start, slab gates, classes, arena, counting; by address among equals. (The locks of public
/// gates come last: their owners have signals blocked and want nothing else, or are forking and have the others. Whoever waits for one waits
/// for nobody who waits.)
///
/// Code of ours keeps the order, but a signal handler can interrupt the owner of one lock and then want any other. If it waited
/// against the order, two such handlers could wait for each other's interrupted frames for ever. So whoever would sleep looks first:
/// a thread that owns a lock at or behind the one it wants does not wait, and is served from elsewhere. All waiting goes up the
/// order, hence no circle. Looking costs a load per lock, and only where a sleep was due.
struct LockOrder {
    /// Locks at equal distances.
    private struct Rank {
        var address: UInt = 0
        var stride: UInt = 0
        var count: UInt = 0
    }

    private var ranks = InlineArray<5, Rank>(repeating: Rank())
    private var count = 0

    /// Adds the next rank. At start, before a second thread can be here.
    mutating func append(address: UInt, stride: Int, count locks: Int) {
        guard count < 5 else { return }
        ranks[count] = Rank(address: address, stride: UInt(stride), count: UInt(locks))
        count &+= 1
    }

    /// Whether thread `me` may sleep until the lock at `address` is free.
    func mayWait(for address: UInt, _ me: UInt) -> Bool {
        for rank in 0..<count {
            let locks = ranks[rank]
            let offset = address &- locks.address
            guard locks.stride > 0, offset < locks.stride &* locks.count else { continue }
            return !owns(me, from: rank, offset / locks.stride)
        }
        return true
    }

    private func owns(_ me: UInt, from first: Int, _ position: UInt) -> Bool {
        for rank in first..<count {
            let locks = ranks[rank]
            var index = rank == first ? position : 0
            while index < locks.count {
                if Lock(at: locks.address &+ index &* locks.stride).isOwned(by: me) { return true }
                index &+= 1
            }
        }
        return false
    }
}

/// The order of this process's locks.
nonisolated(unsafe) var lockOrder = LockOrder()
