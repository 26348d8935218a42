import CPercolate
import Synchronization

/// fork: the child has one thread, and finds every lock free, every gate open and every list whole.
///
/// The prepare handler takes all locks, in the order start, gates, classes, arena, counting, and the public gates' at last: a signal handler
/// that interrupted the owner of one of the others may wait for a public gate, to run a vector or to fork, so nobody may hold one while
/// it waits for the others. Handlers of other libraries run after it and may allocate: the forking thread passes the locks as their owner
/// (see `Lock`). A section of another thread simply disappears in the child: its single store happened or did not.
///
/// A signal handler may fork while its thread is inside fork: the outer fork, wherever it is between its handlers, still needs the locks, and
/// releases them.
///
/// libc's fork takes locks of its own after the handlers, whose owners may want to allocate (`StuckFork`).
extension Heap {
    static func registerForkHandlers() {
        percolate_register_fork_handlers(
            { Heap.prepareFork() }, { Heap.finishForkInParent() }, { Heap.finishForkInChild() })
    }

    static func prepareFork() {
        _ = ensureStarted()
        percolate_begin_nested_fork()
        startLock.holdForFork()
        guard phase == .ready else { return }
        for index in 0..<FrontEnd.indexCount where FrontEnd.caches[index].pointee.slab != 0 {
            FrontEnd.gate(index).lock.holdForFork()
        }
        for list in 0..<Middle.listCount { Middle.lock(Middle.lists[list]).holdForFork() }
        arenaLock.holdForFork()
        Counting.lock.holdForFork()
        publicGates.holdForFork()
        StuckFork.begin()
    }

    static func finishForkInParent() {
        guard percolate_end_nested_fork() else { return }
        defer { startLock.releaseAfterFork() }
        guard phase == .ready else { return }
        StuckFork.end()
        publicGates.releaseAfterFork()
        Counting.lock.releaseAfterFork()
        arenaLock.releaseAfterFork()
        // From the last to the first: a signal handler that forks in between may wait for whatever is released.
        for list in (0..<Middle.listCount).reversed() { Middle.lock(Middle.lists[list]).releaseAfterFork() }
        for index in (0..<FrontEnd.indexCount).reversed() where FrontEnd.caches[index].pointee.slab != 0 {
            FrontEnd.gate(index).lock.releaseAfterFork()
        }
    }

    static func finishForkInChild() {
        percolate_end_all_forks()
        startLock.resetAfterFork()
        guard phase == .ready else { return }
        StuckFork.forget()
        if Counting.lock.takeAfterFork() {
            Counting.forgetOtherThreads()
            Counting.lock.release()
        }
        if arenaLock.takeAfterFork() {
            abandonReleaseAfterFork()
            Scavenger.forget()
            arenaLock.release()
        }
        _ = percolate_scavenger_retire()
        for list in 0..<Middle.listCount { Middle.lock(Middle.lists[list]).resetAfterFork() }
        // All indexes: a thread of the parent may have been setting one up.
        for index in 0..<FrontEnd.indexCount {
            let gate = FrontEnd.gate(index)
            let slab = FrontEnd.caches[index].pointee.slab
            if gate.lock.takeAfterFork() {
                if slab != 0, FrontEnd.mode == .sections { gate.open(slab) }
                gate.lock.release()
            }
        }
        publicGates.resetAfterFork()
        // Threads of the parent that were in vfork do not return here. This one may be a vfork child's: the kernel took its registration
        // away, and its area says what it said last. Where it cannot be registered again, nobody runs a section.
        let isSuspended = FrontEnd.suspensions.load(ordering: .relaxed) != 0
        let isRegistered = !isSuspended || FrontEnd.sequences.registerAgain()
        FrontEnd.suspensions.store(isRegistered ? 0 : 1, ordering: .relaxed)
        publishFront()
    }

    /// Before vfork: nobody runs a section until the parent is back. The child shares this memory and runs on the parent's behalf, so
    /// it sees the switch; for other threads it need not take effect at once, and no fence is needed.
    static func beginVfork() {
        guard ensureStarted() else { return }
        changeSuspensions(by: 1)
    }

    static func endVfork() {
        guard phase == .ready else { return }
        changeSuspensions(by: -1)
    }

    private static func changeSuspensions(by change: Int) {
        let held = arenaLock.acquire(givesUp: false)
        FrontEnd.suspensions.wrappingAdd(change, ordering: .relaxed)
        publishFront()
        if held { arenaLock.release() }
    }
}
