import CPercolate

/// The one place that turns the refusal of a lock into service.
///
/// A lock refuses a signal handler that interrupted the allocator, and a call from inside start-up
/// (`Admission`): waiting could last for ever, and what the lock guards may be half changed. The
/// program is served all the same. Why that is always possible, and costs nothing for good:
///
/// - *A free needs no answer.* The block, or the chain of spans, goes to a list without a lock. The
///   first later call that is no handler's takes the whole list and frees what is on it, as if the
///   program called then (`Heap.takeDeferred`). Until then the memory is the list's alone.
/// - *An allocation needs an answer now.* It gets memory that no lock guards: of a region that is
///   there from the start, or a mapping of its own. It is NULL only where the kernel has no more.
/// - *Service is never refused itself.* What serves here takes no lock and waits for nobody, so it
///   may interrupt anything, itself too, and the argument needs no second case.
/// - *Who is refused has nothing in hand.* A call site first puts back what it took before it met
///   the lock: spans, budgets. Records of samples and guarded slots that are refused at the second
///   lock of a call wait in stacks (`NumberStack`). So a refusal leaks none of them.
///
/// Call sites do not choose: where a lock does not admit them, they return what a function of this
/// type returns. A test reads the sources for others who use the lists or the region.
enum Refusal {
    /// Frees a block later.
    ///
    /// - Parameter room: the bytes of the block. The list keeps its links in the blocks: one that
    ///   has no room for a link is lost.
    static func free(_ block: UInt, room: Int = MemoryLayout<UInt>.size) {
        if room >= MemoryLayout<UInt>.size { DeferredFrees.add(block) }
    }

    /// Gives a chain of empty spans back to the arena later.
    static func free(spans first: SpanID) { emergencyState.pointee.deferredSpans.add(first) }

    /// A block of `size` bytes at a multiple of `alignment`; 0 when there is no memory. `zeroed`
    /// asks for bytes that read as zero.
    static func allocate(_ size: Int, alignment: Int, zeroed: Bool = false) -> UInt {
        let block = Emergency.allocate(size, alignment: alignment)
        if zeroed, block != 0 { percolate_zero(block, size) }
        return block
    }
}
