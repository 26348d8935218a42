/// Values side by side in one block that grows, which end with their owner.
///
/// An array without a reference count, a header or copies: it has one owner, elements may be
/// noncopyable, and where there is no memory it throws. Its ``capacity`` is all that the block has
/// room for, not what was asked for. Positions are checked. May be sent to another thread when its
/// elements may.
///
/// Adding an element takes constant time in the mean: a full block is replaced by one of twice the
/// capacity, in place where the heap can do that.
@safe @frozen
public struct HeapArray<Element: ~Copyable>: ~Copyable {
    /// Where there is no block, an address that is never read.
    @usableFromInline var start: UnsafeMutablePointer<Element>
    @usableFromInline var initializedCount: Int
    @usableFromInline var blockCapacity: Int

    /// No elements, and no block.
    @inlinable
    public init() {
        unsafe start = Self.noBlock
        initializedCount = 0
        blockCapacity = 0
    }

    /// No elements, and room for `capacity` or more.
    @inlinable
    public init(capacity: Int) throws(AllocationError) {
        self.init()
        guard capacity >= 0 else { throw .negativeCount(capacity) }
        try reserveCapacity(capacity)
    }

    /// Makes room for `capacity` elements, of which `body` appends as many as it likes. Where it
    /// throws, those end.
    @inlinable
    public init<Failure: Error>(
        capacity: Int, initializingWith body: (inout OutputSpan<Element>) throws(Failure) -> Void
    ) throws(HeapInitializationError<Failure>) {
        self.init()
        try append(addingCapacity: capacity, initializingWith: body)
    }

    /// Takes the elements of a buffer over, with its block.
    @inlinable
    public init(_ buffer: consuming HeapBuffer<Element>) {
        initializedCount = buffer.count
        unsafe start = buffer.releaseBlock()
        blockCapacity = 0
        updateCapacity()
        // A buffer of no elements has a block, an array of no capacity has none.
        guard blockCapacity == 0 else { return }
        unsafe ProcessHeap.deallocate(start, count: 0)
        unsafe start = Self.noBlock
    }

    @inlinable
    static var noBlock: UnsafeMutablePointer<Element> {
        unsafe UnsafeMutablePointer(bitPattern: MemoryLayout<Element>.alignment).unsafelyUnwrapped
    }

    /// The number of elements.
    @inlinable
    public var count: Int { initializedCount }

    /// How many elements the block has room for.
    @inlinable
    public var capacity: Int { blockCapacity }

    /// How many elements may be added before the block is replaced.
    @inlinable
    public var freeCapacity: Int { blockCapacity &- initializedCount }

    /// Whether there are no elements.
    @inlinable
    public var isEmpty: Bool { initializedCount == 0 }

    /// The positions: 0 up to ``count``.
    @inlinable
    public var indices: Range<Int> { unsafe Range(uncheckedBounds: (0, initializedCount)) }

    @inlinable
    var buffer: UnsafeMutableBufferPointer<Element> {
        unsafe UnsafeMutableBufferPointer(start: start, count: initializedCount)
    }

    /// The element at a position, in place. Ends the process with a line when there is none.
    ///
    /// - Parameters:
    ///   - index: the position.
    ///   - file: the caller's, for that line.
    ///   - line: the caller's.
    @inlinable
    public subscript(index: Int, file: StaticString = #fileID, line: UInt = #line) -> Element {
        _read {
            requirePosition(index, in: initializedCount, file, line)
            yield unsafe start[index]
        }
        _modify {
            requirePosition(index, in: initializedCount, file, line)
            yield unsafe &start[index]
        }
    }

    /// The elements, to read.
    @inlinable
    public var span: Span<Element> {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(buffer.span, borrowing: self) }
    }

    /// The elements, to read and write.
    @inlinable
    public var mutableSpan: MutableSpan<Element> {
        @_lifetime(&self)
        mutating get { unsafe _overrideLifetime(buffer.mutableSpan, mutating: &self) }
    }

    /// Calls `body` with the elements and the room behind them, to append and remove in place.
    @inlinable
    public mutating func edit<Result: ~Copyable, Failure: Error>(
        _ body: (inout OutputSpan<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let room = unsafe UnsafeMutableBufferPointer(start: start, count: blockCapacity)
        var output = unsafe OutputSpan(buffer: room, initializedCount: initializedCount)
        initializedCount = 0
        defer {
            unsafe initializedCount = output.finalize(for: room)
            output = OutputSpan()
        }
        return try body(&output)
    }

    /// Calls `body` with the elements. They must be as many, and initialized, when it returns.
    @unsafe @inlinable
    public mutating func withUnsafeMutableBufferPointer<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(buffer)
    }

    @inlinable
    deinit {
        unsafe start.deinitialize(count: initializedCount)
        if blockCapacity > 0 { unsafe ProcessHeap.deallocate(start, count: blockCapacity) }
    }
}

/// Capacity.
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

/// Adding.
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

/// Removing and moving out.
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

    /// Exchanges the elements of two positions.
    ///
    /// - Parameters:
    ///   - first: a position. Ends the process with a line when there is none.
    ///   - second: a position.
    ///   - file: the caller's, for that line.
    ///   - line: the caller's.
    @inlinable
    public mutating func swapAt(
        _ first: Int, _ second: Int, file: StaticString = #fileID, line: UInt = #line
    ) {
        requirePosition(first, in: initializedCount, file, line)
        requirePosition(second, in: initializedCount, file, line)
        guard first != second else { return }
        let element = unsafe (start + first).move()
        unsafe (start + first).moveInitialize(from: start + second, count: 1)
        unsafe (start + second).initialize(to: element)
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

    /// Ends the owner, but not its elements nor their block, which it returns.
    @inlinable
    consuming func releaseBlock() -> UnsafeMutablePointer<Element> {
        let start = unsafe start
        discard self
        return unsafe start
    }
}

extension HeapArray where Element: Copyable {
    /// Makes `count` copies of `element`.
    @inlinable
    public init(repeating element: Element, count: Int) throws(AllocationError) {
        try self.init(capacity: count)
        unsafe start.initialize(repeating: element, count: count)
        initializedCount = count
    }

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

extension HeapArray where Element: BitwiseCopyable {
    /// The bytes of the elements, to read.
    @inlinable
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(buffer.span.bytes, borrowing: self) }
    }

    /// The bytes of the elements, to read and write.
    @inlinable
    public var mutableBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            let bytes = unsafe MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(buffer))
            return unsafe _overrideLifetime(bytes, mutating: &self)
        }
    }
}

extension HeapArray: @unchecked Sendable where Element: Sendable & ~Copyable {}
