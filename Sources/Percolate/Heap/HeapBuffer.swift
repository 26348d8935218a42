/// A fixed number of values side by side in one block, which end with their owner.
///
/// Unlike an array it has no reference count and no header, and it is never copied. Positions are checked. May be sent to another
/// thread when its elements may.
@safe
public struct HeapBuffer<Element: ~Copyable>: ~Copyable {
    // Not one buffer pointer: `yield &buffer[index]` crashes the compiler of Swift 6.3 under the thread sanitizer.
    private let start: UnsafeMutablePointer<Element>
    /// The number of elements.
    public let count: Int

    /// Makes `count` elements, each by a call of `element` with its position.
    public init(count: Int, element: (Int) -> Element) throws(AllocationError) {
        unsafe start = try ProcessHeap.allocate(Element.self, count: count)
        self.count = count
        for index in 0..<count { unsafe (start + index).initialize(to: element(index)) }
    }

    private var buffer: UnsafeMutableBufferPointer<Element> {
        unsafe UnsafeMutableBufferPointer(start: start, count: count)
    }

    /// The positions: 0 up to ``count``.
    public var indices: Range<Int> { 0..<count }

    /// The element at a position, in place. Ends the process with a line when there is none.
    public subscript(index: Int) -> Element {
        _read {
            require(indices.contains(index), "position \(index) is outside the buffer of \(count)")
            yield unsafe start[index]
        }
        _modify {
            require(indices.contains(index), "position \(index) is outside the buffer of \(count)")
            yield unsafe &start[index]
        }
    }

    /// The elements, to read.
    public var span: Span<Element> {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(buffer.span, borrowing: self) }
    }

    /// The elements, to read and write.
    public var mutableSpan: MutableSpan<Element> {
        @_lifetime(&self)
        mutating get { unsafe _overrideLifetime(buffer.mutableSpan, mutating: &self) }
    }

    deinit {
        unsafe start.deinitialize(count: count)
        unsafe ProcessHeap.deallocate(start, count: count)
    }
}

extension HeapBuffer where Element: Copyable {
    /// Makes `count` copies of `element`.
    public init(repeating element: Element, count: Int) throws(AllocationError) {
        try self.init(count: count) { _ in element }
    }
}

extension HeapBuffer: @unchecked Sendable where Element: Sendable & ~Copyable {}
