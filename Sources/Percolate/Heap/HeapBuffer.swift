/// A fixed number of values side by side in one block, which end with their owner.
///
/// Unlike an array it has no reference count and no header, and it is never copied. Positions are
/// checked. May be sent to another thread when its elements may. Where the number changes, take a
/// ``HeapArray``.
@safe @frozen
public struct HeapBuffer<Element: ~Copyable>: ~Copyable {
    // Not one buffer pointer: `yield &buffer[index]` crashes the compiler of Swift 6.3 under the
    // thread sanitizer.
    @usableFromInline let start: UnsafeMutablePointer<Element>
    /// The number of elements.
    public let count: Int

    @inlinable
    init(start: UnsafeMutablePointer<Element>, count: Int) {
        unsafe self.start = unsafe start
        self.count = count
    }

    /// Makes `count` elements, each by a call of `element` with its position.
    @inlinable
    public init(count: Int, element: (Int) -> Element) throws(AllocationError) {
        unsafe start = try ProcessHeap.allocate(Element.self, count: count)
        self.count = count
        for index in 0..<count { unsafe (start + index).initialize(to: element(index)) }
    }

    /// Makes `count` elements, each by a call of `element` with its position. Where that throws,
    /// those that were made end.
    @inlinable
    public init<Failure: Error>(
        count: Int, element: (Int) throws(Failure) -> Element
    ) throws(HeapInitializationError<Failure>) {
        try self.init(count: count) { output throws(Failure) in
            for index in 0..<count { output.append(try element(index)) }
        }
    }

    /// Makes `count` elements in place.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - body: appends all of them. Where it throws, those that it appended end.
    ///   - file: the caller's, for the line that a body which appends fewer ends with.
    ///   - line: the caller's.
    @inlinable
    public init<Failure: Error>(
        count: Int, initializingWith body: (inout OutputSpan<Element>) throws(Failure) -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(HeapInitializationError<Failure>) {
        unsafe start = try initializedBlock(count: count, file, line, body)
        self.count = count
    }

    /// Takes the elements of an array over, and gives back what its block has beyond them.
    @inlinable
    public init(_ array: consuming HeapArray<Element>) throws(AllocationError) {
        guard !array.isEmpty else {
            unsafe start = try ProcessHeap.allocate(Element.self, count: 0)
            count = 0
            return
        }
        try array.trimCapacity()
        count = array.count
        unsafe start = array.releaseBlock()
    }

    // What follows is in `HeapArray` too: a protocol with both would have an element type that may
    // be noncopyable, which Swift 6.3 does not have.

    @inlinable
    var buffer: UnsafeMutableBufferPointer<Element> {
        unsafe UnsafeMutableBufferPointer(start: start, count: count)
    }

    /// The positions: 0 up to ``count``.
    @inlinable
    public var indices: Range<Int> { unsafe Range(uncheckedBounds: (0, count)) }

    /// Whether there are no elements.
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// The element at a position, in place. Ends the process with a line when there is none.
    ///
    /// - Parameters:
    ///   - index: the position.
    ///   - file: the caller's, for that line.
    ///   - line: the caller's.
    @inlinable
    public subscript(index: Int, file: StaticString = #fileID, line: UInt = #line) -> Element {
        _read {
            requirePosition(index, in: count, file, line)
            yield unsafe start[index]
        }
        _modify {
            requirePosition(index, in: count, file, line)
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

    /// Calls `body` with the elements. They must be as many, and initialized, when it returns.
    @unsafe @inlinable
    public mutating func withUnsafeMutableBufferPointer<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(buffer)
    }

    /// Ends the owner and hands each element to `body`, in their order. Where that throws the rest
    /// ends.
    @inlinable
    public consuming func drain<Failure: Error>(
        _ body: (consuming Element) throws(Failure) -> Void
    ) throws(Failure) {
        var array = HeapArray(self)
        try array.drain(body)
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
        unsafe start.deinitialize(count: count)
        unsafe ProcessHeap.deallocate(start, count: count)
    }
}

extension HeapBuffer where Element: Copyable {
    /// Makes `count` copies of `element`.
    @inlinable
    public init(repeating element: Element, count: Int) throws(AllocationError) {
        unsafe start = try ProcessHeap.allocate(Element.self, count: count)
        self.count = count
        unsafe start.initialize(repeating: element, count: count)
    }

    /// Makes copies of the elements of `source`.
    @inlinable
    public init(copying source: Span<Element>) throws(AllocationError) {
        unsafe start = try ProcessHeap.allocate(Element.self, count: source.count)
        count = source.count
        unsafe source.withUnsafeBufferPointer { source in _ = unsafe buffer.initialize(fromContentsOf: source) }
    }
}

extension HeapBuffer where Element: BitwiseCopyable {
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

extension HeapBuffer: @unchecked Sendable where Element: Sendable & ~Copyable {}

/// Ends the process at the caller's line where there is no element at a position.
@inlinable @inline(__always)
func requirePosition(_ index: Int, in count: Int, _ file: StaticString, _ line: UInt) {
    require(
        UInt(bitPattern: index) < UInt(bitPattern: count), "position \(index) is outside the buffer of \(count)", file,
        line)
}
