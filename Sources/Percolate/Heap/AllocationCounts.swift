/// What a piece of code allocated and freed, on all threads of the process.
///
/// Bytes are those of whole blocks (`ProcessHeap.usableSize(of:)`), so up to an eighth more than
/// were asked for above 128 bytes. A reallocation that moves counts as an allocation and a
/// deallocation; one that stays in place only changes the bytes.
public struct AllocationCounts: Sendable, Equatable, Codable {
    /// Blocks allocated.
    public var allocations = 0
    /// Blocks freed, also those that were allocated before.
    public var deallocations = 0
    /// Bytes of the blocks allocated.
    public var allocatedBytes = 0
    /// Bytes of the blocks freed.
    public var deallocatedBytes = 0
    /// The most bytes that were alive at one moment, above those that were alive at the start.
    public var peakBytes = 0

    /// All counts 0.
    public init() {}

    /// Blocks that are alive at the end and were not at the start; negative when older blocks were
    /// freed.
    public var leakedBlocks: Int { allocations - deallocations }
    /// Their bytes.
    public var leakedBytes: Int { allocatedBytes - deallocatedBytes }
}

extension ProcessHeap {
    /// Runs `body` and counts, exactly, what all threads allocate and free meanwhile in this heap.
    ///
    /// Where ``servesMalloc`` is true that is everything the process allocates; otherwise it is the
    /// use of this API. Scopes may nest and overlap. While one is active every operation takes a
    /// slow path that counts, some ten times slower; when none is, nothing is counted and nothing
    /// costs. The first run of code also counts what the Swift runtime sets up once: run it once
    /// before, where that matters.
    ///
    ///     @Test func parsingAllocatesOnce() throws {
    ///         try #require(ProcessHeap.servesMalloc)  // else nothing that Swift allocates is counted
    ///         _ = parse(line)
    ///         #expect(ProcessHeap.countAllocations { _ = parse(line) }.allocations == 1)
    ///     }
    ///
    /// Tests that run in parallel allocate too: put such tests into a `.serialized` suite and run
    /// it alone, or give bounds. Not for signal handlers.
    public static func countAllocations<Failure: Error>(
        in body: () throws(Failure) -> Void
    ) throws(Failure) -> AllocationCounts {
        let scope = AllocationScope()
        do {
            try body()
        } catch {
            _ = scope.end()
            throw error
        }
        return scope.end()
    }

    /// As the other form, for code that awaits: counts until `body` returns, on whichever thread.
    nonisolated(nonsending) public static func countAllocations<Failure: Error>(
        in body: nonisolated(nonsending) () async throws(Failure) -> Void
    ) async throws(Failure) -> AllocationCounts {
        let scope = AllocationScope()
        do {
            try await body()
        } catch {
            _ = scope.end()
            throw error
        }
        return scope.end()
    }
}
