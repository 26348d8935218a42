/// Memory for what lives as long as one request: allocation moves a pointer, and everything goes at
/// once.
///
/// Values that the arena gives cannot outlive it: the compiler holds their lifetime to that of the
/// arena. Values whose end has an effect end with it too, the last first, so nothing leaks. An
/// arena belongs to one thread at a time.
///
///     func handle(_ request: Request) throws -> Response {
///         let arena = try HeapArena()
///         let numbers = try arena.allocate(repeating: 0, count: request.count)
///         let user = try arena.make(User(request))
///         return respond(numbers.span, user.value)
///     }  // one step
///
/// Memory comes in chunks, of which each has twice the size of the last, up to 1 MiB, or more where
/// one allocation needs it.
///
/// In debug builds the arena writes a canary behind each raw block. Where that was written to, the
/// process ends when the arena does, with the line that allocated the block. It also fills the
/// memory that it gives back, so that pointers which are used later find neither their values nor
/// zeros.
@safe @frozen
public struct HeapArena: ~Copyable {
    /// The start of each chunk.
    @safe
    @usableFromInline
    struct Chunk {
        let previous: UnsafeMutablePointer<Chunk>?
        /// Bytes of the block, this header included.
        let byteCount: Int
    }

    @safe
    @usableFromInline
    struct State {
        @usableFromInline var next: UnsafeMutableRawPointer
        @usableFromInline var end: UnsafeMutableRawPointer
        @usableFromInline var chunk: UnsafeMutablePointer<Chunk>
        @usableFromInline var lastCleanup: UnsafeMutablePointer<Cleanup>?
        /// Of the chunks before the last.
        var earlierBytes = 0
        #if DEBUG
            var canaries: [ArenaCanary] = []
        #endif
    }

    /// In a block of its own: values are allocated while the arena is borrowed.
    @usableFromInline let state: UnsafeMutablePointer<State>

    /// The size above which chunks do not grow by themselves.
    static let longestChunk = 1 << 20

    /// An empty arena.
    ///
    /// - Parameter byteCount: bytes of the first chunk: what a request mostly needs. At least 256.
    public init(byteCount: Int = 4096) throws(AllocationError) {
        guard byteCount >= 0 else { throw .negativeCount(byteCount) }
        let chunk = unsafe try Self.makeChunk(byteCount: max(byteCount, 256), after: nil)
        let state: UnsafeMutablePointer<State>
        do {
            unsafe state = try ProcessHeap.allocate(State.self)
        } catch {
            unsafe ProcessHeap.deallocate(
                UnsafeMutableRawPointer(chunk), byteCount: chunk.pointee.byteCount)
            throw error
        }
        unsafe state.initialize(
            to: State(next: Self.start(of: chunk), end: Self.end(of: chunk), chunk: chunk))
        unsafe self.state = unsafe state
    }

    deinit {
        endValues()
        unsafe freeChunks(before: nil)
        unsafe state.deinitialize(count: 1)
        unsafe ProcessHeap.deallocate(state, count: 1)
    }

    /// Ends all values and makes the arena empty. The last chunk stays for what comes next: an
    /// arena that is used again for requests of one kind comes to have one chunk that fits.
    public mutating func reset() {
        endValues()
        let last = unsafe state.pointee.chunk
        unsafe freeChunks(before: last)
        let kept = unsafe Chunk(previous: nil, byteCount: last.pointee.byteCount)
        unsafe last.initialize(to: kept)
        unsafe state.pointee = State(
            next: Self.start(of: last), end: Self.end(of: last), chunk: last)
    }

    /// Bytes that were allocated, what alignment took included.
    public var usedByteCount: Int {
        unsafe state.pointee.earlierBytes
            + (state.pointee.next - Self.start(of: state.pointee.chunk))
    }

    /// Moves a value into the arena.
    @_lifetime(borrow self)
    @inlinable
    public func make<Value: ~Copyable>(_ value: consuming Value) throws(AllocationError)
        -> ArenaValue<Value>
    {
        let room = try ArenaRoom(of: Value.self, count: 1, in: self)
        unsafe room.start.initialize(to: value)
        own(room)
        return unsafe _overrideLifetime(ArenaValue(room.start), borrowing: self)
    }

    /// Makes elements side by side, in place.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - body: appends all of them. Where it throws, those that it appended end.
    ///   - file: the caller's, for the line that a body which appends fewer ends with.
    ///   - line: the caller's.
    @_lifetime(borrow self)
    @inlinable
    public func allocate<Element: ~Copyable, Failure: Error>(
        count: Int, initializingWith body: (inout OutputSpan<Element>) throws(Failure) -> Void,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(HeapInitializationError<Failure>) -> MutableSpan<Element> {
        let room: ArenaRoom<Element>
        do {
            room = try ArenaRoom(of: Element.self, count: count, in: self)
        } catch {
            throw .allocation(error)
        }
        do {
            var output = unsafe OutputSpan(buffer: room.elements, initializedCount: 0)
            try body(&output)
            let initialized = unsafe output.finalize(for: room.elements)
            require(
                initialized == count, "\(initialized) of \(count) elements were initialized", file,
                line)
        } catch {
            throw .initializer(error)
        }
        own(room)
        return unsafe _overrideLifetime(room.elements.mutableSpan, borrowing: self)
    }

    /// Makes `count` copies of `element` side by side.
    @_lifetime(borrow self)
    @inlinable
    public func allocate<Element>(
        repeating element: Element, count: Int
    ) throws(AllocationError) -> MutableSpan<Element> {
        let room = try ArenaRoom(of: Element.self, count: count, in: self)
        unsafe room.elements.initialize(repeating: element)
        own(room)
        return unsafe _overrideLifetime(room.elements.mutableSpan, borrowing: self)
    }

    /// Copies elements into the arena.
    @_lifetime(borrow self)
    @inlinable
    public func copy<Element>(_ source: borrowing Span<Element>) throws(AllocationError)
        -> MutableSpan<Element>
    {
        let room = try ArenaRoom(of: Element.self, count: source.count, in: self)
        unsafe source.withUnsafeBufferPointer { source in
            _ = unsafe room.elements.initialize(fromContentsOf: source)
        }
        own(room)
        return unsafe _overrideLifetime(room.elements.mutableSpan, borrowing: self)
    }

    /// Allocates bytes that may hold anything. Nothing keeps the pointer from outliving the arena.
    ///
    /// - Parameters:
    ///   - byteCount: may be zero.
    ///   - alignment: in bytes, a power of two.
    ///   - file: the caller's, which debug builds name where the bytes behind the block were
    ///     written to.
    ///   - line: the caller's.
    @unsafe
    public func allocateBytes(
        _ byteCount: Int, alignment: Int = 16, file: StaticString = #fileID, line: UInt = #line
    ) throws(AllocationError) -> UnsafeMutableRawBufferPointer {
        guard byteCount >= 0 else { throw .negativeCount(byteCount) }
        guard alignment > 0, alignment & (alignment - 1) == 0 else {
            throw .invalidAlignment(alignment)
        }
        #if DEBUG
            let (guarded, overflow) = byteCount.addingReportingOverflow(ArenaCanary.byteCount)
            guard !overflow else { throw .outOfMemory(byteCount: byteCount) }
            let start = unsafe try reserve(byteCount: guarded, alignment: alignment)
            unsafe state.pointee.canaries.append(
                ArenaCanary(behind: start, byteCount: byteCount, file, line))
        #else
            let start = unsafe try reserve(byteCount: byteCount, alignment: alignment)
        #endif
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    }
}
