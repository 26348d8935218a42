/// A value in a block of its own, which ends with its owner.
///
/// The owner cannot be copied, so nobody else frees the block, and no reference count is kept. May
/// be sent to another thread when its value may.
@safe @frozen
public struct HeapValue<Value: ~Copyable>: ~Copyable {
    @usableFromInline let pointer: UnsafeMutablePointer<Value>

    /// Moves `value` to the heap.
    @inlinable
    public init(_ value: consuming Value) throws(AllocationError) {
        unsafe pointer = try ProcessHeap.allocate(Value.self)
        unsafe pointer.initialize(to: value)
    }

    /// Makes the value in its block, without a copy on the stack.
    ///
    /// - Parameters:
    ///   - body: appends the one value.
    ///   - file: the caller's, for the line that a body without a value ends with.
    ///   - line: the caller's.
    @inlinable
    public init<Failure: Error>(
        initializingWith body: (inout OutputSpan<Value>) throws(Failure) -> Void, file: StaticString = #fileID,
        line: UInt = #line
    ) throws(HeapInitializationError<Failure>) {
        unsafe pointer = try initializedBlock(count: 1, file, line, body)
    }

    /// The value, in place.
    @inlinable
    public var value: Value {
        _read { yield unsafe pointer.pointee }
        _modify { yield unsafe &pointer.pointee }
    }

    /// Ends the owner and returns the value.
    @inlinable
    public consuming func take() -> Value {
        let value = unsafe pointer.move()
        unsafe ProcessHeap.deallocate(pointer, count: 1)
        discard self
        return value
    }

    @inlinable
    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe ProcessHeap.deallocate(pointer, count: 1)
    }
}

extension HeapValue where Value: BitwiseCopyable {
    /// The bytes of the value, to read.
    @inlinable
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(_unsafeStart: pointer, count: 1)
            return unsafe _overrideLifetime(span.bytes, borrowing: self)
        }
    }
}

extension HeapValue: @unchecked Sendable where Value: Sendable & ~Copyable {}

/// A block with `count` elements that `body` appends: all of them.
@inlinable
func initializedBlock<Element: ~Copyable, Failure: Error>(
    count: Int, _ file: StaticString, _ line: UInt, _ body: (inout OutputSpan<Element>) throws(Failure) -> Void
) throws(HeapInitializationError<Failure>) -> UnsafeMutablePointer<Element> {
    let buffer: UnsafeMutableBufferPointer<Element>
    do {
        unsafe buffer = try ProcessHeap.allocateBuffer(of: Element.self, count: count)
    } catch {
        throw .allocation(error)
    }
    do {
        var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
        try body(&output)
        let initialized = unsafe output.finalize(for: buffer)
        require(initialized == count, "\(initialized) of \(count) elements were initialized", file, line)
    } catch {
        unsafe ProcessHeap.deallocate(buffer)
        throw .initializer(error)
    }
    return unsafe buffer.baseAddress.unsafelyUnwrapped
}
