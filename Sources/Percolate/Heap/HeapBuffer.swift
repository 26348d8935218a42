/// A fixed number of values side by side in one block, which end with their owner.
///
/// Unlike an array it has no reference count and no header, and it is never copied. Positions are checked. May be sent to another
/// thread when its elements may.
@safe
public struct HeapBuffer<Element: ~Copyable>: ~Copyable {
    private let buffer: UnsafeMutableBufferPointer<Element>

    /// Makes `count` elements, each by a call of `element` with its position.
    public init(count: Int, element: (Int) -> Element) throws(AllocationError) {
        let buffer = unsafe try ProcessHeap.allocateBuffer(of: Element.self, count: count)
        for index in 0..<count { unsafe buffer.initializeElement(at: index, to: element(index)) }
        unsafe self.buffer = buffer
    }

    /// The number of elements.
    public var count: Int { unsafe buffer.count }

    /// The positions: 0 up to ``count``.
    public var indices: Range<Int> { 0..<count }

    /// The element at a position, in place.
    public subscript(index: Int) -> Element {
        _read {
            precondition(indices.contains(index), "position outside the buffer")
            yield unsafe buffer[index]
        }
        _modify {
            precondition(indices.contains(index), "position outside the buffer")
            yield unsafe &buffer[index]
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
        unsafe buffer.deinitialize()
        unsafe ProcessHeap.deallocate(buffer)
    }
}

extension HeapBuffer where Element: Copyable {
    /// Makes `count` copies of `element`.
    public init(repeating element: Element, count: Int) throws(AllocationError) {
        try self.init(count: count) { _ in element }
    }
}

extension HeapBuffer: @unchecked Sendable where Element: Sendable & ~Copyable {}
