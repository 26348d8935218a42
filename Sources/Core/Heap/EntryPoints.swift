import CPercolate

// What the C entry points call. Sizes are as C gives them; null stands for no memory, and setting errno is the caller's.

private func block(_ address: UInt) -> UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: address) }

@c(percolate_allocate)
public func percolateAllocate(_ size: UInt) -> UnsafeMutableRawPointer? {
    block(Counting.allocated(Heap.allocate(size)))
}

@c(percolate_allocate_zeroed)
public func percolateAllocateZeroed(_ size: UInt) -> UnsafeMutableRawPointer? {
    block(Counting.allocated(Heap.allocate(size, zeroed: true)))
}

/// `alignment` is a power of two.
@c(percolate_allocate_aligned)
public func percolateAllocateAligned(_ alignment: UInt, _ size: UInt) -> UnsafeMutableRawPointer? {
    block(Counting.allocated(Heap.allocate(size, alignment: alignment)))
}

@c(percolate_deallocate)
public func percolateDeallocate(_ block: UnsafeMutableRawPointer?) {
    Heap.free(Counting.freeing(UInt(bitPattern: block)))
}

/// `alignment` is that of the allocation, 0 where none was asked for.
@c(percolate_deallocate_sized)
public func percolateDeallocateSized(_ block: UnsafeMutableRawPointer?, _ size: UInt, _ alignment: UInt) {
    Heap.free(Counting.freeing(UInt(bitPattern: block)), size: size, alignment: alignment)
}

/// For callers without fast paths of their own: the Swift API on the hosted core.
public func percolateReallocate(_ old: UnsafeMutableRawPointer, _ size: UInt) -> UnsafeMutableRawPointer? {
    let address = UInt(bitPattern: old)
    guard Counting.isActive else { return block(Heap.reallocate(address, size)) }
    let before = Heap.usableSize(address)
    let result = Heap.reallocate(address, size)
    Counting.resized(address, before, to: result)
    return block(result)
}

/// Null when only a new block and a copy will do.
@c(percolate_resize)
public func percolateResize(
    _ old: UnsafeMutableRawPointer, _ size: UInt, _ usable: UnsafeMutablePointer<Int>
) -> UnsafeMutableRawPointer? {
    let address = UInt(bitPattern: old)
    let resized = Heap.resize(address, size, usable: &usable.pointee)
    if Counting.isActive { Counting.resized(address, usable.pointee, to: resized) }
    return block(resized)
}

@c(percolate_usable_size)
public func percolateUsableSize(_ block: UnsafeRawPointer) -> UInt { UInt(Heap.usableSize(UInt(bitPattern: block))) }

@c(percolate_trim)
public func percolateTrim() -> Bool { Heap.trim() }

/// The most bytes of pages that may be in use at once. What is in use above that stays.
@c(percolate_set_memory_limit)
public func percolateSetMemoryLimit(_ bytes: UInt64) {
    guard Heap.ensureStarted(), arenaLock.acquire(givesUp: false) else { return }
    arena.inUseLimit = Int(min(bytes &>> UInt64(PERCOLATE_PAGE_SHIFT), UInt64(Int.max)))
    arenaLock.release()
}

@c(percolate_begin_counting)
public func percolateBeginCounting(_ scope: UnsafeMutablePointer<percolate_counting_scope>) { Counting.begin(scope) }

@c(percolate_end_counting)
public func percolateEndCounting(_ scope: UnsafeMutablePointer<percolate_counting_scope>) { Counting.end(scope) }

/// Writes the statistics to `descriptor`, as text.
@c(percolate_write_statistics)
public func percolateWriteStatistics(_ descriptor: Int32) {
    // As malloc_stats(3), which cannot fail.
    if Heap.ensureStarted() { _ = Heap.writeStatistics(as: .text, to: descriptor) }
}

/// Hands the statistics to `take` as elements of XML, with `context`.
@c(percolate_write_statistics_xml)
public func percolateWriteStatisticsXML(
    _ take: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>, Int) -> Int,
    _ context: UnsafeMutableRawPointer?
) -> Bool {
    Heap.ensureStarted() && Heap.writeStatistics(as: .xml, take, context) == 0
}

@c(percolate_end)
public func percolateEnd() {
    if Heap.ensureStarted() { Heap.writeStatisticsAtExit() }
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

@c(percolate_fork_prepare)
public func percolateForkPrepare() { Heap.prepareFork() }

@c(percolate_fork_parent)
public func percolateForkParent() { Heap.finishForkInParent() }

@c(percolate_fork_child)
public func percolateForkChild() { Heap.finishForkInChild() }

@c(percolate_vfork_started)
public func percolateVforkStarted() { Heap.beginVfork() }

@c(percolate_vfork_ended)
public func percolateVforkEnded() { Heap.endVfork() }
