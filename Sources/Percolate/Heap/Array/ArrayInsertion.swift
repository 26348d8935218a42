/// Adding elements.
extension HeapArray where Element: ~Copyable {
    /// Adds an element at the end. Where this throws the element has ended.
    @inlinable
    public mutating func append(_ element: consuming Element) throws(AllocationError) {
        if initializedCount == blockCapacity { try grow(by: 1) }
        unsafe (start + initializedCount).initialize(to: element)
        initializedCount &+= 1
    }

    /// Makes room for `added` elements, of which `body` appends as many as it likes. Those stay
    /// also where it throws.
    @inlinable
    public mutating func append<Failure: Error>(
        addingCapacity added: Int,
        initializingWith body: (inout OutputSpan<Element>) throws(Failure) -> Void
    ) throws(HeapInitializationError<Failure>) {
        do {
            try grow(by: added)
        } catch {
            throw .allocation(error)
        }
        let room = unsafe UnsafeMutableBufferPointer(start: start + initializedCount, count: added)
        var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
        defer {
            unsafe initializedCount += output.finalize(for: room)
            output = OutputSpan()
        }
        do {
            try body(&output)
        } catch {
            throw .initializer(error)
        }
    }

    /// Inserts an element before the one at a position, or at the end. Where this throws the
    /// element has ended.
    ///
    /// - Parameters:
    ///   - element: the element.
    ///   - index: the position that it shall have, up to ``count``. Ends the process with a line
    ///     for another.
    ///   - file: the caller's, for that line.
    ///   - line: the caller's.
    @inlinable
    public mutating func insert(
        _ element: consuming Element, at index: Int, file: StaticString = #fileID,
        line: UInt = #line
    ) throws(AllocationError) {
        requirePosition(index, in: initializedCount + 1, file, line)
        if initializedCount == blockCapacity { try grow(by: 1) }
        let place = unsafe start + index
        unsafe (place + 1).moveInitialize(from: place, count: initializedCount - index)
        unsafe place.initialize(to: element)
        initializedCount &+= 1
    }
}

extension HeapArray where Element: Copyable {
    /// Adds copies of the elements of `source` at the end.
    @inlinable
    public mutating func append(copying source: Span<Element>) throws(AllocationError) {
        try grow(by: source.count)
        unsafe source.withUnsafeBufferPointer { source in
            let room = unsafe UnsafeMutableBufferPointer(
                start: start + initializedCount, count: source.count)
            _ = unsafe room.initialize(fromContentsOf: source)
        }
        initializedCount += source.count
    }

    /// Adds copies of the elements of `source` at the end. Where this throws, those for which there
    /// was room are there.
    @inlinable
    public mutating func append(copying source: some Sequence<Element>) throws(AllocationError) {
        try grow(by: source.underestimatedCount)
        for element in source { try append(element) }
    }
}
