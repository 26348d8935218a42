import CPercolate
import Synchronization

/// Goes on after threads that were lost inside the allocator: frees their locks, and repairs what
/// each lock guards.
///
/// A thread is lost when it left by a jump out of a signal handler, when it ended inside, or when
/// it is a thread of the parent in a child whose fork did not wait for it. What it was changing is
/// made anew from what every single store keeps true:
///
/// - a block is in the middle tier when its bit in its span's record is set;
/// - a span exists while its record's kind is not `unused`, and belongs to its central list while
///   it is `isListed`;
/// - a slab's header says which words hold blocks;
/// - a page in use is dirty and not free.
///
/// So at most the memory that the lost thread had in hand is lost with it. Every repair may be
/// interrupted, and begins again.
enum Recovery {
    // MARK: Who is lost

    /// In a thread that left its last visit by a jump: it is inside of none of the locks that it
    /// has.
    static func recoverThread() {
        let me = percolate_thread_number()
        percolate_forget_holds()
        freeLocks { $0 == me }
        guard Heap.phase == .ready else { return }
        abandonRelease { $0 == me }
        Middle.freeHeld()
        DeferredFrees.addHeld()
    }

    /// In a child, by its only thread: of the threads that the parent had, only this one is here.
    /// Where a signal handler forked, the frame that it interrupted goes on, and keeps its locks.
    static func adoptChild() {
        let thread: UnsafeMutablePointer<percolate_thread> = percolate_this_thread()
        // With the parent's memory it is no process of its own.
        guard !FrontEnd.isSuspended || !percolate_mark_is_kept() else { return }
        let before = percolate_thread_number()
        let me = UInt32(truncatingIfNeeded: percolate_gettid())
        ForkGate.process.reset(thread, number: me)
        thread.pointee.number = me
        percolate_process_mark.pointee = UInt32(truncatingIfNeeded: percolate_getpid())
        let isInside = thread.pointee.outermost != nil
        if isInside { forEachLock { _ = $0.changeOwner(from: before) } }
        guard Heap.phase == .ready else { return freeLocks { $0 != me } }
        Counting.forgetOtherThreads()
        freeLocks { $0 != me }
        abandonRelease { $0 != before || !isInside }
        Scavenger.forget()
        Heap.adoptSampling()
        _ = percolate_scavenger_retire()
        openGates(me)
        // Threads of the parent that were in vfork do not return here. This one may be a vfork
        // child's: the kernel took its registration away, and its area says what it said last.
        // Where it cannot be registered again, nobody runs a section.
        let isSuspended = FrontEnd.isSuspended
        let isRegistered = !isSuspended || FrontEnd.sequences.registerAgain()
        FrontEnd.state.pointee.suspensions.store(isRegistered ? 0 : 1, ordering: .relaxed)
        publishFront()
    }

    // MARK: What is repaired

    /// Takes every lock whose owner is lost, repairs what it guards, and frees it.
    private static func freeLocks(where isLost: (UInt32) -> Bool) {
        forEachLock { lock in
            let owner = lock.owner
            guard owner != 0, isLost(owner), lock.takeOver(from: owner) else { return }
            repair(lock, at: lock.address)
            lock.release()
        }
        if Heap.phase == .ready { publicGates.recover(isLost) }
    }

    /// Calls `body` with each lock but those of the public gates: those that others rely on first.
    private static func forEachLock(_ body: (Lock) -> Void) {
        body(Heap.startLock)
        guard Heap.phase == .ready else { return }
        body(Counting.lock)
        body(Samples.lock)
        body(arenaLock)
        body(growthLock)
        for list in 0..<Middle.listCount { body(Middle.lock(Middle.lists[list])) }
        for index in 0..<FrontEnd.indexCount { body(FrontEnd.gate(index).lock) }
    }

    /// Repairs what `lock`, which the caller has, guards.
    static func repair(_ lock: Lock, at address: UInt) {
        guard Heap.phase == .ready else { return }
        if address == arenaLock.address {
            repairArena()
            publishFront()
        } else if address == Counting.lock.address {
            Counting.recount()
        } else if address == Samples.lock.address {
            Samples.rebuild()
        } else if let list = position(of: address, in: Middle.lists.address, Middle.stride, Middle.listCount) {
            Middle.rebuild(list)
        } else if let index = position(
            of: address, in: FrontEnd.caches.address, PerCPUCache.stride, FrontEnd.indexCount)
        {
            FrontEnd.repair(index)
        }
        // Start-up begins anew. Growth counts what it made usable last: pages that it lost are made
        // usable again.
    }

    private static func position(of address: UInt, in start: UInt, _ stride: Int, _ count: Int) -> Int? {
        let offset = address &- start
        guard offset < UInt(stride &* count) else { return nil }
        return Int(offset) / stride
    }

    /// In a child: the gates whose locks are free are open.
    private static func openGates(_ me: UInt32) {
        guard FrontEnd.mode == .sections else { return }
        for index in 0..<FrontEnd.indexCount {
            let gate = FrontEnd.gate(index)
            let slab = FrontEnd.caches[index].pointee.slab
            if slab != 0, gate.lock.owner != me, gate.value != slab { gate.open(slab) }
        }
    }
}
