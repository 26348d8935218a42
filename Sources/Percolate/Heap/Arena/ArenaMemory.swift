/// Memory.
extension HeapArena {
    /// Takes the next bytes of the chunk, or of a new one.
    @inlinable
    func reserve(byteCount: Int, alignment: Int) throws(AllocationError) -> UnsafeMutableRawPointer {
        if let start = unsafe next(byteCount: byteCount, alignment: alignment) {
            return unsafe start
        }
        return unsafe try reserveInNewChunk(byteCount: byteCount, alignment: alignment)
    }

    @usableFromInline
    func reserveInNewChunk(byteCount: Int, alignment: Int) throws(AllocationError)
        -> UnsafeMutableRawPointer
    {
        let chunk = unsafe state.pointee.chunk
        let (needed, overflow) = byteCount.addingReportingOverflow(
            MemoryLayout<Chunk>.stride + alignment)
        guard !overflow else { throw .outOfMemory(byteCount: byteCount) }
        let grown = unsafe min(2 * chunk.pointee.byteCount, Self.longestChunk)
        let new = unsafe try Self.makeChunk(byteCount: max(grown, needed), after: chunk)
        unsafe state.pointee.earlierBytes = usedByteCount
        unsafe state.pointee.chunk = new
        unsafe state.pointee.next = Self.start(of: new)
        unsafe state.pointee.end = Self.end(of: new)
        guard let start = unsafe next(byteCount: byteCount, alignment: alignment) else {
            fatalError("a chunk has no room for what it was made for")
        }
        return unsafe start
    }

    @inlinable
    func next(byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer? {
        let start = unsafe state.pointee.next.alignedUp(toMultipleOf: alignment)
        guard unsafe state.pointee.end - start >= byteCount else { return nil }
        unsafe state.pointee.next = start + byteCount
        return unsafe start
    }

    static func makeChunk(
        byteCount: Int, after previous: UnsafeMutablePointer<Chunk>?
    ) throws(AllocationError) -> UnsafeMutablePointer<Chunk> {
        let block = unsafe try ProcessHeap.allocate(byteCount: byteCount)
        let chunk = unsafe block.bindMemory(to: Chunk.self, capacity: 1)
        unsafe chunk.initialize(
            to: Chunk(previous: previous, byteCount: ProcessHeap.usableSize(of: block)))
        return unsafe chunk
    }

    static func start(of chunk: UnsafeMutablePointer<Chunk>) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(chunk + 1)
    }

    static func end(of chunk: UnsafeMutablePointer<Chunk>) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(chunk) + chunk.pointee.byteCount
    }

    /// Frees all chunks but `kept`, which is the last or nil.
    func freeChunks(before kept: UnsafeMutablePointer<Chunk>?) {
        var next: UnsafeMutablePointer<Chunk>? = unsafe state.pointee.chunk
        while let chunk = unsafe next {
            unsafe next = chunk.pointee.previous
            let byteCount = unsafe chunk.pointee.byteCount
            #if DEBUG
                let memory = unsafe Self.start(of: chunk)
                unsafe memory.initializeMemory(
                    as: UInt8.self, repeating: 0xdb, count: Self.end(of: chunk) - memory)
            #endif
            if unsafe chunk != kept {
                unsafe ProcessHeap.deallocate(UnsafeMutableRawPointer(chunk), byteCount: byteCount)
            }
        }
    }
}
