/// Removing elements and moving them out.
extension HeapArray where Element: ~Copyable {
    /// Removes the last element and returns it; nil where there is none.
    @inlinable
    public mutating func popLast() -> Element? {
        guard initializedCount > 0 else { return nil }
        initializedCount &-= 1
        return unsafe (start + initializedCount).move()
    }

    /// Removes the last element and returns it. Ends the process with a line where there is none.
    ///
    /// - Parameters:
    ///   - file: the caller's, for that line.
    ///   - line: the caller's.
    @inlinable @discardableResult
    public mutating func removeLast(file: StaticString = #fileID, line: UInt = #line) -> Element {
        remove(at: initializedCount - 1, file: file, line: line)
    }

    /// Removes the element at a position and returns it. Those behind it move up.
    ///
    /// - Parameters:
    ///   - index: the position. Ends the process with a line when there is none.
    ///   - file: the caller's, for that line.
    ///   - line: the caller's.
    @inlinable @discardableResult
    public mutating func remove(at index: Int, file: StaticString = #fileID, line: UInt = #line)
        -> Element
    {
        requirePosition(index, in: initializedCount, file, line)
        let place = unsafe start + index
        let element = unsafe place.move()
        initializedCount &-= 1
        unsafe place.moveInitialize(from: place + 1, count: initializedCount - index)
        return element
    }

    /// Ends all elements, and gives the block back unless its capacity is to be kept.
    @inlinable
    public mutating func removeAll(keepingCapacity: Bool = false) {
        let count = initializedCount
        initializedCount = 0
        unsafe start.deinitialize(count: count)
        guard !keepingCapacity, blockCapacity > 0 else { return }
        unsafe ProcessHeap.deallocate(start, count: blockCapacity)
        unsafe start = Self.noBlock
        blockCapacity = 0
    }

    /// Removes all elements and hands each to `body`, in their order. The capacity stays. Where
    /// `body` throws, the elements that it did not get stay.
    @inlinable
    public mutating func drain<Failure: Error>(
        _ body: (consuming Element) throws(Failure) -> Void
    ) throws(Failure) {
        let count = initializedCount
        initializedCount = 0
        var position = 0
        defer {
            initializedCount = count - position
            if position > 0 {
                unsafe start.moveInitialize(from: start + position, count: initializedCount)
            }
        }
        while position < count {
            let element = unsafe (start + position).move()
            position &+= 1
            try body(element)
        }
    }
}
