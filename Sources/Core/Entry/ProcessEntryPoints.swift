import CPercolate

// What happens to the process: its end, its scavenger, fork and vfork, and threads that were lost.

@c(percolate_end)
public func percolateEnd() {
    guard Heap.ensureStarted() else { return }
    Heap.writeStatisticsAtExit()
    // Not in a vfork child, whose memory is its parent's.
    guard !FrontEnd.isSuspended else { return }
    Heap.writeProfileAtExit()
    LeakReport.write()
    GuardedBlocks.checkAll()
    Heap.checkAllBlocks()
}

/// Whether the process should have a scavenger.
@c(percolate_scavenger_is_wanted)
public func percolateScavengerIsWanted() -> Bool { Scavenger.isWanted }

/// The scavenger's body, until it is stopped.
@c(percolate_scavenge)
public func percolateScavenge() { Scavenger.run() }

/// Tells the scavenger to end.
@c(percolate_stop_scavenger)
public func percolateStopScavenger() { ScavengerSleep.stop() }

/// After the scavenger has ended: another one may run.
@c(percolate_allow_scavenger)
public func percolateAllowScavenger() { ScavengerSleep.allow() }

@c(percolate_fork_prepare)
public func percolateForkPrepare() { Heap.prepareFork() }

@c(percolate_fork_parent)
public func percolateForkParent() { Heap.finishForkInParent() }

@c(percolate_fork_child)
public func percolateForkChild() { Heap.finishForkInChild() }

@c(percolate_vfork_started)
public func percolateVforkStarted() {
    visiting { Heap.beginVfork() }
}

@c(percolate_vfork_ended)
public func percolateVforkEnded() {
    visiting { Heap.endVfork() }
}

@c(percolate_repair_lock)
public func percolateRepairLock(_ lock: UInt) { Recovery.repair(Lock(at: lock), at: lock) }

@c(percolate_adopt_child)
public func percolateAdoptChild() { Recovery.adoptChild() }

@c(percolate_recover_thread)
public func percolateRecoverThread() { Recovery.recoverThread() }
