import CPercolate

/// The heap of this process.
///
/// Where the product `percolate_malloc` is linked or preloaded this is the heap that serves
/// `malloc`, and with it every Swift object; blocks may then pass between this API and `malloc` and
/// `free`. Otherwise it is a heap beside `malloc`: what was allocated here must be deallocated
/// here.
///
/// Sizes and alignments are in bytes. Everything may be called from any thread and any task. In
/// signal handlers allocation and deallocation of raw blocks are safe after the first use of the
/// heap; everything else is not.
public enum ProcessHeap {
    /// Whether the heap belongs to the shared object `libpercolate_malloc.so`, and not to the core
    /// inside this program.
    public static var isSharedObject: Bool { HeapAccess.current.isSharedObject }

    /// Whether `malloc`, and so every Swift object, array and string of the process, is served by
    /// this heap.
    public static var servesMalloc: Bool { HeapAccess.current.servesMalloc }

    /// Allocates a block.
    ///
    /// - Parameters:
    ///   - byteCount: 0 gives a block of its own, too.
    ///   - alignment: a power of two.
    ///   - zeroed: whether the bytes read as zero. Otherwise they may hold anything.
    public static func allocate(
        byteCount: Int, alignment: Int = 16, zeroed: Bool = false
    ) throws(AllocationError) -> UnsafeMutableRawPointer {
        try check(byteCount: byteCount, alignment: alignment)
        let table = unsafe HeapAccess.current.table
        let block: UnsafeMutableRawPointer?
        if isDefault(alignment, byteCount: byteCount) {
            unsafe block = zeroed ? table.pointee.allocate_zeroed(byteCount) : table.pointee.allocate(byteCount)
        } else {
            unsafe block = table.pointee.allocate_aligned(alignment, byteCount)
            if zeroed { unsafe block?.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount) }
        }
        guard let block = unsafe block else { throw .outOfMemory(byteCount: byteCount) }
        return unsafe block
    }

    /// Resizes a block: it keeps its bytes up to the smaller of the sizes, and may move. Where this
    /// throws the block stays as it is.
    ///
    /// - Parameters:
    ///   - block: a block of this heap.
    ///   - oldByteCount: the size that it was asked for with. The process ends with a line where
    ///     the block cannot have it.
    ///   - newByteCount: the size that it shall have.
    ///   - alignment: the alignment that it was asked for with, and that it keeps.
    ///   - file: the caller's, for the line that a wrong call ends with.
    ///   - line: the caller's.
    public static func reallocate(
        _ block: UnsafeMutableRawPointer, from oldByteCount: Int, to newByteCount: Int, alignment: Int = 16,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(AllocationError) -> UnsafeMutableRawPointer {
        try check(byteCount: newByteCount, alignment: alignment)
        let usable = unsafe usableSize(of: block)
        require(
            0...usable ~= oldByteCount,
            "a block of \(usable) bytes cannot have been asked for with \(oldByteCount) bytes", file, line)
        if isDefault(alignment, byteCount: oldByteCount), isDefault(alignment, byteCount: newByteCount) {
            guard let moved = unsafe HeapAccess.current.table.pointee.reallocate(block, newByteCount) else {
                throw .outOfMemory(byteCount: newByteCount)
            }
            return unsafe moved
        }
        let moved = unsafe try allocate(byteCount: newByteCount, alignment: alignment)
        unsafe moved.copyMemory(from: block, byteCount: min(oldByteCount, newByteCount))
        unsafe deallocate(block, byteCount: oldByteCount, alignment: alignment, file: file, line: line)
        return unsafe moved
    }

    /// Deallocates a block whose size is known. The size is checked, not looked up: with a size and
    /// alignment that belong to another size class than it was asked for (of large blocks: to
    /// another number of pages), or a block that is not of this heap, the process ends with a line
    /// that says so.
    public static func deallocate(
        _ block: UnsafeMutableRawPointer, byteCount: Int, alignment: Int = 16, file: StaticString = #fileID,
        line: UInt = #line
    ) {
        require(byteCount >= 0, "a block cannot have \(byteCount) bytes", file, line)
        let isAlignment = alignment > 0 && alignment & (alignment - 1) == 0
        require(isAlignment, "\(alignment) is no alignment: give a power of two", file, line)
        let table = unsafe HeapAccess.current.table
        if isDefault(alignment, byteCount: byteCount) {
            unsafe table.pointee.deallocate_sized(block, byteCount)
        } else {
            unsafe table.pointee.deallocate_aligned(block, alignment, byteCount)
        }
    }

    /// Deallocates a block of whatever size.
    public static func deallocate(_ block: UnsafeMutableRawPointer) {
        unsafe HeapAccess.current.table.pointee.deallocate(block)
    }

    /// The bytes of a block, at least as many as were asked for. All of them may be used, but a
    /// sized deallocation wants the size that was asked for.
    public static func usableSize(of block: UnsafeRawPointer) -> Int {
        unsafe HeapAccess.current.table.pointee.usable_size(block)
    }

    /// Empties the caches of all CPUs and gives every free page back to the kernel.
    ///
    /// The heap gives pages back by itself; this is for moments after which little will be
    /// allocated. It interrupts the other CPUs, and what is allocated next is slower.
    ///
    /// - Returns: whether any page went back.
    @discardableResult
    public static func releaseFreeMemory() -> Bool { unsafe HeapAccess.current.table.pointee.release_free_memory() }

    /// Limits the bytes of pages in use, in whole pages; nil for no limit.
    ///
    /// An allocation that needs pages beyond the limit fails like one for which the kernel has no
    /// memory: `allocate` throws `AllocationError.outOfMemory`, `malloc` returns NULL, and Swift's
    /// own allocations end the process. Pages that are in use above a new limit stay. Not counted
    /// are free pages that wait for reuse, and the heap's own tables.
    public static func setMemoryLimit(_ byteCount: Int?, file: StaticString = #fileID, line: UInt = #line) {
        require(byteCount ?? 0 >= 0, "a memory limit cannot be negative", file, line)
        unsafe HeapAccess.current.table.pointee.set_memory_limit(byteCount.map(UInt64.init) ?? .max)
    }

    private static func check(byteCount: Int, alignment: Int) throws(AllocationError) {
        guard byteCount >= 0 else { throw .negativeCount(byteCount) }
        guard alignment > 0, alignment & (alignment - 1) == 0, alignment <= 1 << 46 else {
            throw .invalidAlignment(alignment)
        }
    }

    /// Whether every block of that size has the alignment. Allocation and deallocation must agree
    /// on the answer.
    private static func isDefault(_ alignment: Int, byteCount: Int) -> Bool {
        alignment <= 8 || (alignment == 16 && byteCount > 8)
    }
}
