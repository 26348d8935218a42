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

    /// Ends the owner, but not its elements nor their block, which it returns.
    @inlinable
    consuming func releaseBlock() -> UnsafeMutablePointer<Element> {
        let start = unsafe start
        discard self
        return unsafe start
    }

    @inlinable
    deinit {
        unsafe start.deinitialize(count: initializedCount)
        if blockCapacity > 0 { unsafe ProcessHeap.deallocate(start, count: blockCapacity) }
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
