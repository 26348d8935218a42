/// Blocks for values of one type. Memory comes uninitialised and must be deinitialised before it is deallocated; `HeapValue` and
/// `HeapBuffer` do both.
extension ProcessHeap {
    /// Allocates memory for `count` values, suitably aligned.
    public static func allocate<Value: ~Copyable>(
        _ type: Value.Type, count: Int = 1
    ) throws(AllocationError) -> UnsafeMutablePointer<Value> {
        let bytes = try byteCount(of: Value.self, count)
        let block = unsafe try allocate(byteCount: bytes, alignment: MemoryLayout<Value>.alignment)
        return unsafe block.bindMemory(to: Value.self, capacity: count)
    }

    /// Allocates memory for `count` values, as a buffer.
    public static func allocateBuffer<Value: ~Copyable>(
        of type: Value.Type, count: Int
    ) throws(AllocationError) -> UnsafeMutableBufferPointer<Value> {
        let start = unsafe try allocate(Value.self, count: count)
        return unsafe UnsafeMutableBufferPointer(start: start, count: count)
    }

    /// Deallocates the memory of `count` values that `allocate(_:count:)` gave.
    public static func deallocate<Value: ~Copyable>(_ pointer: UnsafeMutablePointer<Value>, count: Int = 1) {
        unsafe deallocate(
            UnsafeMutableRawPointer(pointer), byteCount: count * MemoryLayout<Value>.stride,
            alignment: MemoryLayout<Value>.alignment)
    }

    /// Deallocates a buffer that `allocateBuffer(of:count:)` gave, as a whole.
    public static func deallocate<Value: ~Copyable>(_ buffer: UnsafeMutableBufferPointer<Value>) {
        guard let start = buffer.baseAddress else { return }
        unsafe deallocate(start, count: buffer.count)
    }

    private static func byteCount<Value: ~Copyable>(
        of type: Value.Type, _ count: Int
    ) throws(AllocationError) -> Int {
        guard count >= 0 else { throw .negativeCount(count) }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Value>.stride)
        guard !overflow else { throw .outOfMemory(byteCount: .max) }
        return bytes
    }
}
