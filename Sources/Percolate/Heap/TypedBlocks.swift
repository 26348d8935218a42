/// Blocks for values of one type. Memory comes uninitialised, or zeroed, and what was initialised
/// in it must be deinitialised before it is deallocated; `HeapValue` and `HeapBuffer` do both. From
/// any thread; not in signal handlers.
extension ProcessHeap {
    /// Allocates memory for `count` values, suitably aligned.
    ///
    /// - Parameters:
    ///   - type: what the memory is for.
    ///   - count: how many values fit. May be zero.
    ///   - zeroed: whether all bytes are zero. Otherwise they may hold anything.
    @inlinable
    public static func allocate<Value: ~Copyable>(
        _ type: Value.Type, count: Int = 1, zeroed: Bool = false
    ) throws(AllocationError) -> UnsafeMutablePointer<Value> {
        let bytes = try byteCount(of: Value.self, count)
        let block = unsafe try allocate(byteCount: bytes, alignment: MemoryLayout<Value>.alignment, zeroed: zeroed)
        return unsafe block.bindMemory(to: Value.self, capacity: count)
    }

    /// Allocates memory for `count` values, as a buffer.
    ///
    /// - Parameters:
    ///   - type: what the memory is for.
    ///   - count: how many values fit. May be zero.
    ///   - zeroed: whether all bytes are zero. Otherwise they may hold anything.
    @inlinable
    public static func allocateBuffer<Value: ~Copyable>(
        of type: Value.Type, count: Int, zeroed: Bool = false
    ) throws(AllocationError) -> UnsafeMutableBufferPointer<Value> {
        let start = unsafe try allocate(Value.self, count: count, zeroed: zeroed)
        return unsafe UnsafeMutableBufferPointer(start: start, count: count)
    }

    /// Resizes memory that `allocate(_:count:)` gave: it keeps its values up to the smaller of the
    /// counts, and may move. Where this throws it stays as it is.
    @inlinable
    public static func reallocate<Value: BitwiseCopyable>(
        _ pointer: UnsafeMutablePointer<Value>, from oldCount: Int, to newCount: Int,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(AllocationError) -> UnsafeMutablePointer<Value> {
        let bytes = try byteCount(of: Value.self, newCount)
        let block = unsafe try reallocate(
            UnsafeMutableRawPointer(pointer), from: heldByteCount(of: Value.self, oldCount, file, line), to: bytes,
            alignment: MemoryLayout<Value>.alignment, file: file, line: line)
        return unsafe block.bindMemory(to: Value.self, capacity: newCount)
    }

    /// Resizes a buffer that `allocateBuffer(of:count:)` gave: it keeps its values up to the
    /// smaller of the counts, and may move. Where this throws it stays as it is.
    @inlinable
    public static func reallocate<Value: BitwiseCopyable>(
        _ buffer: UnsafeMutableBufferPointer<Value>, to newCount: Int,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(AllocationError) -> UnsafeMutableBufferPointer<Value> {
        guard let start = buffer.baseAddress else { return unsafe try allocateBuffer(of: Value.self, count: newCount) }
        let moved = unsafe try reallocate(
            start, from: buffer.count, to: newCount, file: file, line: line)
        return unsafe UnsafeMutableBufferPointer(start: moved, count: newCount)
    }

    /// Deallocates the memory of `count` values that `allocate(_:count:)` gave. The count is
    /// checked as a size is (`deallocate(_:byteCount:alignment:)`).
    @inlinable
    public static func deallocate<Value: ~Copyable>(
        _ pointer: UnsafeMutablePointer<Value>, count: Int, file: StaticString = #fileID, line: UInt = #line
    ) {
        unsafe deallocate(
            UnsafeMutableRawPointer(pointer), byteCount: heldByteCount(of: Value.self, count, file, line),
            alignment: MemoryLayout<Value>.alignment, file: file, line: line)
    }

    /// Deallocates a buffer that `allocateBuffer(of:count:)` gave, as a whole.
    @inlinable
    public static func deallocate<Value: ~Copyable>(
        _ buffer: UnsafeMutableBufferPointer<Value>, file: StaticString = #fileID, line: UInt = #line
    ) {
        guard let start = buffer.baseAddress else { return }
        unsafe deallocate(start, count: buffer.count, file: file, line: line)
    }

    @inlinable
    static func byteCount<Value: ~Copyable>(
        of type: Value.Type, _ count: Int
    ) throws(AllocationError) -> Int {
        guard count >= 0 else { throw .negativeCount(count) }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Value>.stride)
        guard !overflow else { throw .outOfMemory(byteCount: .max) }
        return bytes
    }

    /// The same of memory that exists: no other count can be meant.
    @inlinable
    static func heldByteCount<Value: ~Copyable>(
        of type: Value.Type, _ count: Int, _ file: StaticString, _ line: UInt
    ) -> Int {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Value>.stride)
        require(
            count >= 0 && !overflow, "no block holds \(count) values of \(MemoryLayout<Value>.stride) bytes", file,
            line)
        return bytes
    }
}
