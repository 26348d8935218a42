import CPercolate
import Synchronization

// What the C entry points call. Sizes are as C gives them; null stands for no memory, and setting
// errno is the caller's.

/// Runs `body` inside the allocator, as a visit of the calling thread. Start-up comes before:
/// registering fork handlers may allocate.
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
    visiting { block(Counting.noteAllocation(Heap.allocate(size))) }
}

@c(percolate_allocate_zeroed)
public func percolateAllocateZeroed(_ size: UInt) -> UnsafeMutableRawPointer? {
    visiting { block(Counting.noteAllocation(Heap.allocate(size, zeroed: true))) }
}

/// `alignment` is a power of two.
@c(percolate_allocate_aligned)
public func percolateAllocateAligned(_ alignment: UInt, _ size: UInt) -> UnsafeMutableRawPointer? {
    visiting { block(Counting.noteAllocation(Heap.allocate(size, alignment: alignment))) }
}

/// `alignment` is a power of two. All `size` bytes read as zero.
@c(percolate_allocate_aligned_zeroed)
public func percolateAllocateAlignedZeroed(_ alignment: UInt, _ size: UInt) -> UnsafeMutableRawPointer? {
    visiting { block(Counting.noteAllocation(Heap.allocate(size, alignment: alignment, zeroed: true))) }
}

/// The usable bytes of the block that `percolate_allocate_aligned` would give, 0 where it could
/// give none.
@c(percolate_block_size)
public func percolateBlockSize(_ alignment: UInt, _ size: UInt) -> UInt { Heap.blockSize(size, alignment: alignment) }

/// For a fast path that popped `taken` of `sizeClass` from `slab`, and found the countdown expired,
/// `isFirst` by its own pop.
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
    visiting { Heap.free(Counting.noteFree(UInt(bitPattern: block))) }
}

/// For a block that basic hardening has looked up, and marked free.
@c(percolate_deallocate_marked)
public func percolateDeallocateMarked(_ block: UnsafeMutableRawPointer) {
    visiting { Heap.freeMarked(UInt(bitPattern: block)) }
}

/// `alignment` is that of the allocation, which was asked for.
@c(percolate_deallocate_aligned)
public func percolateDeallocateAligned(_ block: UnsafeMutableRawPointer?, _ alignment: UInt) {
    visiting { Heap.free(Counting.noteFree(UInt(bitPattern: block)), alignment: alignment) }
}

/// `alignment` is that of the allocation, 0 where none was asked for.
@c(percolate_deallocate_sized)
public func percolateDeallocateSized(_ block: UnsafeMutableRawPointer?, _ size: UInt, _ alignment: UInt) {
    visiting {
        Heap.free(
            Counting.noteFree(UInt(bitPattern: block)), size: size, alignment: max(alignment, 1))
    }
}

/// For callers without fast paths of their own: the Swift API on the hosted core.
public func percolateReallocate(_ old: UnsafeMutableRawPointer, _ size: UInt) -> UnsafeMutableRawPointer? {
    visiting {
        let address = UInt(bitPattern: old)
        guard Counting.isActive else { return block(Heap.reallocate(address, size)) }
        let before = Heap.usableSize(address)
        let result = Heap.reallocate(address, size)
        Counting.noteResize(address, before, to: result)
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
        if Counting.isActive { Counting.noteResize(address, usable.pointee, to: resized) }
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
        Counting.noteResize(address, before, to: isDone ? address : 0)
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

@c(percolate_trim_if_due)
public func percolateTrimIfDue() -> Bool {
    visiting { Heap.trimIfDue() }
}
