/// A value in a block of its own, which ends with its owner.
///
/// The owner cannot be copied, so nobody else frees the block, and no reference count is kept. May be sent to another thread
/// when its value may.
@safe
public struct HeapValue<Value: ~Copyable>: ~Copyable {
    private let pointer: UnsafeMutablePointer<Value>

    /// Moves `value` to the heap.
    public init(_ value: consuming Value) throws(AllocationError) {
        unsafe pointer = try ProcessHeap.allocate(Value.self)
        unsafe pointer.initialize(to: value)
    }

    /// The value, in place.
    public var value: Value {
        _read { yield unsafe pointer.pointee }
        _modify { yield unsafe &pointer.pointee }
    }

    /// Ends the owner and returns the value.
    public consuming func take() -> Value {
        let value = unsafe pointer.move()
        unsafe ProcessHeap.deallocate(pointer, count: 1)
        discard self
        return value
    }

    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe ProcessHeap.deallocate(pointer, count: 1)
    }
}

extension HeapValue: @unchecked Sendable where Value: Sendable & ~Copyable {}
