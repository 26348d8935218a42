import CPercolate
import Synchronization

// What the C entry points call. Sizes are as C gives them; null stands for no memory, and setting errno is the caller's.

/// Runs `body` inside the allocator, as a visit of the calling thread. Start-up comes before: registering fork handlers may
/// allocate.
@inline(__always)
func visiting<R>(_ body: () -> R) -> R {
    _ = Heap.ensureStarted()
    var visit = percolate_visit()
    Visit.begin(&visit)
    defer { Visit.end(&visit) }
    return body()
}

private func block(_ address: UInt) -> UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: address) }

@c(percolate_allocate)
public func percolateAllocate(_ size: UInt) -> UnsafeMutableRawPointer? {
    visiting { block(Counting.allocated(Heap.allocate(size))) }
}

@c(percolate_allocate_zeroed)
public func percolateAllocateZeroed(_ size: UInt) -> UnsafeMutableRawPointer? {
    visiting { block(Counting.allocated(Heap.allocate(size, zeroed: true))) }
}

/// `alignment` is a power of two.
@c(percolate_allocate_aligned)
public func percolateAllocateAligned(_ alignment: UInt, _ size: UInt) -> UnsafeMutableRawPointer? {
    visiting { block(Counting.allocated(Heap.allocate(size, alignment: alignment))) }
}

/// `alignment` is a power of two. All `size` bytes read as zero.
@c(percolate_allocate_aligned_zeroed)
public func percolateAllocateAlignedZeroed(_ alignment: UInt, _ size: UInt) -> UnsafeMutableRawPointer? {
    visiting { block(Counting.allocated(Heap.allocate(size, alignment: alignment, zeroed: true))) }
}

/// The usable bytes of the block that `percolate_allocate_aligned` would give, 0 where it could
/// give none.
@c(percolate_block_size)
public func percolateBlockSize(_ alignment: UInt, _ size: UInt) -> UInt { Heap.blockSize(size, alignment: alignment) }

/// For a fast path that popped `taken` of `sizeClass` from `slab`, and found the countdown expired, `isFirst` by its own pop.
@c(percolate_consider_sample)
public func percolateConsiderSample(
    _ size: UInt, _ taken: UnsafeMutableRawPointer, _ slab: UInt64, _ sizeClass: UInt64, _ isFirst: Bool
) -> UnsafeMutableRawPointer? {
    let address = UInt(bitPattern: taken)
    return visiting {
        block(
            Heap.considerSample(
                address, size: Int(size), sizeClass: Int(sizeClass), slab: Slab(address: slab), isFirst: isFirst))
    }
}

@c(percolate_deallocate)
public func percolateDeallocate(_ block: UnsafeMutableRawPointer?) {
    visiting { Heap.free(Counting.freeing(UInt(bitPattern: block))) }
}

/// For a block that basic hardening has looked up, and marked free.
@c(percolate_deallocate_marked)
public func percolateDeallocateMarked(_ block: UnsafeMutableRawPointer) {
    visiting { Heap.freeMarked(UInt(bitPattern: block)) }
}

/// `alignment` is that of the allocation, 0 where none was asked for.
@c(percolate_deallocate_sized)
public func percolateDeallocateSized(_ block: UnsafeMutableRawPointer?, _ size: UInt, _ alignment: UInt) {
    visiting { Heap.free(Counting.freeing(UInt(bitPattern: block)), size: size, alignment: alignment) }
}

/// For callers without fast paths of their own: the Swift API on the hosted core.
public func percolateReallocate(_ old: UnsafeMutableRawPointer, _ size: UInt) -> UnsafeMutableRawPointer? {
    visiting {
        let address = UInt(bitPattern: old)
        guard Counting.isActive else { return block(Heap.reallocate(address, size)) }
        let before = Heap.usableSize(address)
        let result = Heap.reallocate(address, size)
        Counting.resized(address, before, to: result)
        return block(result)
    }
}

/// Null when only a new block and a copy will do.
@c(percolate_resize)
public func percolateResize(
    _ old: UnsafeMutableRawPointer, _ size: UInt, _ usable: UnsafeMutablePointer<Int>
) -> UnsafeMutableRawPointer? {
    visiting {
        let address = UInt(bitPattern: old)
        let resized = Heap.resize(address, size, usable: &usable.pointee)
        if Counting.isActive { Counting.resized(address, usable.pointee, to: resized) }
        return block(resized)
    }
}

/// Resizes a block where it is. Whether that could be done.
@c(percolate_resize_in_place)
public func percolateResizeInPlace(_ block: UnsafeMutableRawPointer, _ size: UInt) -> Bool {
    visiting {
        let address = UInt(bitPattern: block)
        guard Counting.isActive else { return Heap.resizeInPlace(address, size) }
        let before = Heap.usableSize(address)
        let isDone = Heap.resizeInPlace(address, size)
        Counting.resized(address, before, to: isDone ? address : 0)
        return isDone
    }
}

/// Whether `block` points into memory that this heap gives out. The only question that may be asked
/// of a foreign pointer.
@c(percolate_owns)
public func percolateOwns(_ block: UnsafeRawPointer?) -> Bool { Heap.owns(UInt(bitPattern: block)) }

@c(percolate_usable_size)
public func percolateUsableSize(_ block: UnsafeRawPointer) -> UInt { UInt(Heap.usableSize(UInt(bitPattern: block))) }

@c(percolate_trim)
public func percolateTrim() -> Bool {
    visiting { Heap.trim() }
}

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

/// Bytes of resident pages above which free ones go back at once; UINT64_MAX for no limit. What is resident above that goes
/// back now, as far as it is free.
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
        if Heap.ensureStarted() { readMachineBeforeRestriction() }
        percolate_restrict()
    }
}

@c(percolate_is_counting)
public func percolateIsCounting(_ scope: UnsafePointer<percolate_counting_scope>) -> Bool {
    visiting { Counting.contains(scope) }
}

@c(percolate_begin_counting)
public func percolateBeginCounting(_ scope: UnsafeMutablePointer<percolate_counting_scope>) {
    visiting { Counting.begin(scope) }
}

@c(percolate_end_counting)
public func percolateEndCounting(_ scope: UnsafeMutablePointer<percolate_counting_scope>) {
    visiting { Counting.end(scope) }
}

/// Writes the statistics to `descriptor`, as text.
@c(percolate_write_statistics)
public func percolateWriteStatistics(_ descriptor: Int32) {
    // As malloc_stats(3), which cannot fail.
    if Heap.ensureStarted() { _ = Heap.writeStatistics(as: .text, to: descriptor) }
}

/// Writes the statistics as a caller wants them. 0, or an error number.
@c(percolate_write_statistics_as)
public func percolateWriteStatisticsAs(_ descriptor: Int32, _ format: Int32) -> Int32 {
    let known: StatisticsFormat
    switch format {
    case 0: known = .text
    case 1: known = .json
    case 2: known = .prometheus
    default: return EINVAL
    }
    guard Heap.ensureStarted() else { return ENOMEM }
    return Int32(truncatingIfNeeded: Heap.writeStatistics(as: known, to: descriptor))
}

/// Hands the statistics to `take` as elements of XML, with `context`.
@c(percolate_write_statistics_xml)
public func percolateWriteStatisticsXML(
    _ take: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>, Int) -> Int,
    _ context: UnsafeMutableRawPointer?
) -> Bool {
    Heap.ensureStarted() && Heap.writeStatistics(as: .xml, take, context) == 0
}

/// Mean numbers of bytes between sampled and between guarded blocks, 0 for none. Whether they hold now.
@c(percolate_set_sampling)
public func percolateSetSampling(_ rate: UInt64, _ guardRate: UInt64) -> Bool {
    visiting { Heap.ensureStarted() && Heap.setSampling(rate: rate, guardRate: guardRate) }
}

/// Writes the heap profile to a file, in the format of jemalloc. 0, or an error number.
@c(percolate_write_profile)
public func percolateWriteProfile(_ path: UnsafePointer<CChar>) -> Int32 {
    Heap.ensureStarted() ? Int32(truncatingIfNeeded: Heap.writeProfile(to: path)) : ENOMEM
}

/// Forgets what was sampled so far. Totals stay.
@c(percolate_reset_samples)
public func percolateResetSamples() {
    visiting { if Heap.ensureStarted() { Samples.reset() } }
}

/// The mean number of bytes between samples that the options asked for; 0 for none.
@c(percolate_mean_at_start)
public func percolateMeanAtStart() -> UInt64 { Heap.ensureStarted() ? Heap.meanAtStart : 0 }

/// Before code is loaded, perhaps where other code was.
@c(percolate_forget_frame_rules)
public func percolateForgetFrameRules() { FrameRuleCache.clear() }

/// Where the samples are.
public var percolateSamples: UnsafePointer<percolate_samples> {
    UnsafePointer(pinned(&sampled))
}

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
public func percolateStopScavenger() { ScavengerRest.stop() }

/// After the scavenger has ended: another one may run.
@c(percolate_allow_scavenger)
public func percolateAllowScavenger() { ScavengerRest.allow() }

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
