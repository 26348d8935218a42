/// Raw blocks that carry their size. From any thread; not in signal handlers.
extension ProcessHeap {
    /// Allocates a block as a buffer of exactly `byteCount` bytes.
    ///
    /// - Parameters:
    ///   - byteCount: may be zero: a block of its own all the same.
    ///   - alignment: in bytes, a power of two.
    ///   - zeroed: whether all bytes are zero. Otherwise they may hold anything.
    public static func allocateBuffer(
        byteCount: Int, alignment: Int = 16, zeroed: Bool = false
    ) throws(AllocationError) -> UnsafeMutableRawBufferPointer {
        let start = unsafe try allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed)
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    }

    /// Resizes a buffer that `allocateBuffer(byteCount:alignment:zeroed:)` gave with the same
    /// alignment: it keeps its bytes up to the smaller of the sizes, and may move. Where this
    /// throws it stays as it is.
    public static func reallocate(
        _ buffer: UnsafeMutableRawBufferPointer, to newByteCount: Int, alignment: Int = 16,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(AllocationError) -> UnsafeMutableRawBufferPointer {
        guard let start = buffer.baseAddress else {
            return unsafe try allocateBuffer(byteCount: newByteCount, alignment: alignment)
        }
        let moved = unsafe try reallocate(
            start, from: buffer.count, to: newByteCount, alignment: alignment, file: file, line: line)
        return unsafe UnsafeMutableRawBufferPointer(start: moved, count: newByteCount)
    }

    /// Deallocates a buffer that `allocateBuffer(byteCount:alignment:zeroed:)` gave with the same
    /// alignment, as a whole.
    public static func deallocate(
        _ buffer: UnsafeMutableRawBufferPointer, alignment: Int = 16, file: StaticString = #fileID, line: UInt = #line
    ) {
        guard let start = buffer.baseAddress else { return }
        unsafe deallocate(start, byteCount: buffer.count, alignment: alignment, file: file, line: line)
    }
}
