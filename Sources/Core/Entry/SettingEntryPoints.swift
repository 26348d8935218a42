import CPercolate

// What programs and services change while the heap runs.

/// 0, or a negative error number.
@c(percolate_harden_heap)
public func percolateHardenHeap(_ level: Int32) -> Int32 {
    guard let level = HardeningLevel(rawValue: Int(level)) else { return -EINVAL }
    return Heap.raiseHardening(to: level) ? 0 : -ENOTSUP
}

/// The most bytes of pages that may be in use at once. What is in use above that stays.
@c(percolate_set_memory_limit)
public func percolateSetMemoryLimit(_ bytes: UInt64) {
    visiting {
        guard Heap.ensureStarted(), arenaLock.acquire() == .entered else { return }
        arena.limits.hard = MemoryLimits.pages(bytes)
        arenaLock.release()
    }
}

/// What `PERCOLATE_OPTIONS` says as `release`, changed while the program runs: 0 prompt, 1 lazy,
/// 2 never.
@c(percolate_set_release)
public func percolateSetRelease(_ policy: UInt32) {
    visiting {
        guard Heap.ensureStarted(), arenaLock.acquire() == .entered else { return }
        let policy = policy == 2 ? Options.Release.never : policy == 1 ? .lazy : .prompt
        Heap.options.release = policy
        arena.retention.policy = policy
        observed.release = policy == .prompt ? 0 : policy == .lazy ? 1 : 2
        arenaLock.release()
    }
}

/// What `PERCOLATE_OPTIONS` says as `background`, changed while the program runs.
@c(percolate_set_background)
public func percolateSetBackground(_ isWanted: Bool) {
    guard Heap.ensureStarted() else { return }
    Heap.options.background = isWanted
}

/// Bytes of resident pages above which free ones go back at once; UINT64_MAX for no limit. What is
/// resident above that goes back now, as far as it is free.
@c(percolate_set_soft_memory_limit)
public func percolateSetSoftMemoryLimit(_ bytes: UInt64) {
    visiting {
        guard Heap.ensureStarted(), arenaLock.acquire() == .entered else { return }
        arena.limits.soft = MemoryLimits.pages(bytes)
        let excess = arena.limits.excess(0, inUse: arena.inUse, resident: arena.retention.resident)
        arenaLock.release()
        if excess > 0 { release(Retention.Demand(pages: excess, shortestRun: 1)) }
    }
}

@c(percolate_give_up_reservation)
public func percolateGiveUpReservation(_ limit: UInt64) {
    visiting {
        if Heap.ensureStarted() { giveUpReservation(limit: UInt(limit)) }
    }
}

/// What the allocator would ask the kernel later, it asks now.
@c(percolate_prepare_restriction)
public func percolatePrepareRestriction() {
    visiting {
        if Heap.ensureStarted() { readMachineEarly() }
        percolate_restrict()
    }
}

/// Mean numbers of bytes between sampled and between guarded blocks, 0 for none. Whether they hold
/// now.
@c(percolate_set_sampling)
public func percolateSetSampling(_ rate: UInt64, _ guardRate: UInt64) -> Bool {
    visiting { Heap.ensureStarted() && Heap.setSampling(rate: rate, guardRate: guardRate) }
}

/// Sets the mean number of bytes between sampled blocks, 0 for none, and leaves that between
/// guarded ones alone. Whether it holds now.
@c(percolate_set_sample_rate)
public func percolateSetSampleRate(_ rate: UInt64) -> Bool {
    visiting { Heap.ensureStarted() && Heap.setSampling(rate: rate, guardRate: sampled.guard_rate) }
}

/// The mean number of bytes between sampled blocks that holds now; 0 for none.
@c(percolate_sample_rate)
public func percolateSampleRate() -> UInt64 { Heap.ensureStarted() ? sampled.rate : 0 }
