import CPercolate

// What the C entry points call. Sizes are as C gives them; null stands for no memory, and setting errno is the caller's.

private func block(_ address: UInt) -> UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: address) }

@c(percolate_allocate)
public func percolateAllocate(_ size: UInt) -> UnsafeMutableRawPointer? { block(Heap.allocate(size)) }

@c(percolate_allocate_zeroed)
public func percolateAllocateZeroed(_ size: UInt) -> UnsafeMutableRawPointer? {
    block(Heap.allocate(size, zeroed: true))
}

/// `alignment` is a power of two.
@c(percolate_allocate_aligned)
public func percolateAllocateAligned(_ alignment: UInt, _ size: UInt) -> UnsafeMutableRawPointer? {
    block(Heap.allocate(size, alignment: alignment))
}

@c(percolate_deallocate)
public func percolateDeallocate(_ block: UnsafeMutableRawPointer?) { Heap.free(UInt(bitPattern: block)) }

/// `alignment` is that of the allocation, 0 where none was asked for.
@c(percolate_deallocate_sized)
public func percolateDeallocateSized(_ block: UnsafeMutableRawPointer?, _ size: UInt, _ alignment: UInt) {
    Heap.free(UInt(bitPattern: block), size: size, alignment: alignment)
}

/// Null when only a new block and a copy will do.
@c(percolate_resize)
public func percolateResize(
    _ old: UnsafeMutableRawPointer, _ size: UInt, _ usable: UnsafeMutablePointer<Int>
) -> UnsafeMutableRawPointer? {
    block(Heap.resize(UInt(bitPattern: old), size, usable: &usable.pointee))
}

@c(percolate_usable_size)
public func percolateUsableSize(_ block: UnsafeRawPointer) -> UInt { UInt(Heap.usableSize(UInt(bitPattern: block))) }

@c(percolate_trim)
public func percolateTrim() -> Bool { Heap.trim() }

@c(percolate_memory_figures)
public func percolateMemoryFigures(_ figures: UnsafeMutablePointer<percolate_memory>) {
    figures.pointee = Heap.memory()
}

/// Writes the statistics to `descriptor`. False when the kernel refused.
@c(percolate_write_statistics)
public func percolateWriteStatistics(_ descriptor: Int32) -> Bool {
    guard Heap.ensureStarted() else { return false }
    var text = TextBuffer()
    Heap.describe(into: &text)
    return text.write(to: descriptor)
}

@c(percolate_end)
public func percolateEnd() {
    if Heap.ensureStarted() { Heap.writeStatisticsAtExit() }
}

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
