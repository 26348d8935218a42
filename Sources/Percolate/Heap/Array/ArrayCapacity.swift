/// How large the block is.
extension HeapArray where Element: ~Copyable {
    /// Makes room for `capacity` elements in all, if there is less. Where this throws nothing
    /// changed.
    @inlinable
    public mutating func reserveCapacity(_ capacity: Int) throws(AllocationError) {
        if capacity > blockCapacity { try replaceBlock(capacity: capacity) }
    }

    /// Gives back what the block has beyond its elements, as far as the heap's sizes allow. Where
    /// this throws nothing changed.
    @inlinable
    public mutating func trimCapacity() throws(AllocationError) {
        if initializedCount == 0 { return removeAll() }
        try replaceBlock(capacity: initializedCount)
    }

    /// Room for one element more at least, and for as many again as there are.
    @inlinable @inline(never)
    mutating func grow(by added: Int) throws(AllocationError) {
        guard added >= 0 else { throw .negativeCount(added) }
        let (needed, overflow) = initializedCount.addingReportingOverflow(added)
        guard !overflow else { throw .outOfMemory(byteCount: .max) }
        guard needed > blockCapacity else { return }
        // A first block of a cache line: smaller ones would be replaced again at once.
        let least = max(2 * blockCapacity, 64 / MemoryLayout<Element>.stride)
        try replaceBlock(capacity: max(needed, least))
    }

    /// - Parameter capacity: at least the number of elements, and not 0.
    @inlinable
    mutating func replaceBlock(capacity: Int) throws(AllocationError) {
        if blockCapacity == 0 {
            unsafe start = try ProcessHeap.allocate(Element.self, count: capacity)
        } else if isMovedAsBytes(Element.self) {
            let moved = unsafe try ProcessHeap.reallocate(
                UnsafeMutableRawPointer(start), from: blockCapacity * MemoryLayout<Element>.stride,
                to: ProcessHeap.byteCount(of: Element.self, capacity),
                alignment: MemoryLayout<Element>.alignment)
            unsafe start = moved.bindMemory(to: Element.self, capacity: capacity)
        } else {
            let replacement = unsafe try ProcessHeap.allocate(Element.self, count: capacity)
            unsafe replacement.moveInitialize(from: start, count: initializedCount)
            unsafe ProcessHeap.deallocate(start, count: blockCapacity)
            unsafe start = replacement
        }
        updateCapacity()
    }

    /// The heap checks a deallocation's size by its size class: what fills the block is of the
    /// class that was asked for.
    @inlinable
    mutating func updateCapacity() {
        unsafe blockCapacity = ProcessHeap.usableSize(of: start) / MemoryLayout<Element>.stride
    }
}
