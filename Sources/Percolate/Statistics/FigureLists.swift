extension HeapStatistics.Process: FigureRecord {
    static let figures: [Figure<Self>] = [
        .init("process_resident_bytes", .gauge, \.residentBytes, "Bytes of the process in memory."),
        .init("process_mapped_bytes", .gauge, \.mappedBytes, "Bytes of addresses the process has mapped."),
        .init("in_use_bytes", .gauge, \.inUseBytes, "Bytes of the heap's pages in use."),
        .init("committed_bytes", .gauge, \.committedBytes, "Bytes of the heap's pages that were ever in use."),
        .init("free_resident_bytes", .gauge, \.freeResidentBytes, "Bytes of free pages kept for reuse."),
        .init("released_bytes", .counter, \.releasedBytes, "Bytes given back to the kernel."),
        .init("metadata_bytes", .gauge, \.metadataBytes, "Bytes of the heap's own tables."),
        .init("spans_in_use", .gauge, \.spansInUse, "Spans in use."),
        .init("served_blocks", .counter, \.servedBlocks, "Blocks handed out below the fast path."),
        .init("large_allocations", .counter, \.largeAllocations, "Large blocks allocated."),
        .init("large_frees", .counter, \.largeFrees, "Large blocks freed."),
        .init("emergency_allocations", .counter, \.emergencyAllocations, "Blocks given to interrupting handlers."),
    ]

    public init(from decoder: any Decoder) throws { try self.init(decoding: decoder) }
    public func encode(to encoder: any Encoder) throws { try encodeFigures(to: encoder) }
}

extension HeapStatistics.SizeClass: FigureRecord {
    static let figures: [Figure<Self>] = [
        .init("block_bytes", .gauge, \.blockBytes, "Bytes of a block."),
        .init("span_bytes", .gauge, \.spanBytes, "Bytes of a span."),
        .init("spans", .gauge, \.spans, "Spans of the size class."),
        .init("blocks", .gauge, \.blocks, "Blocks in the spans."),
        .init("free_blocks", .gauge, \.freeBlocks, "Blocks free in spans."),
        .init("cached_blocks", .gauge, \.cachedBlocks, "Blocks free in caches."),
    ]

    public init(from decoder: any Decoder) throws { try self.init(decoding: decoder) }
    public func encode(to encoder: any Encoder) throws { try encodeFigures(to: encoder) }
}

extension HeapStatistics.CPU: FigureRecord {
    static let figures: [Figure<Self>] = [
        .init("index", .gauge, \.index, "Index of the caches."),
        .init("cached_bytes", .gauge, \.cachedBytes, "Bytes of free blocks in the caches."),
        .init("cached_blocks", .gauge, \.cachedBlocks, "Free blocks in the caches."),
        .init("capacity_bytes", .gauge, \.capacityBytes, "Bytes that the caches may hold as divided now."),
        .init("budget_bytes", .gauge, \.budgetBytes, "Bytes that the caches may hold."),
        .init("refills", .counter, \.refills, "Refills of a cache."),
        .init("refilled_blocks", .counter, \.refilledBlocks, "Blocks of refills."),
        .init("drains", .counter, \.drains, "Drains of a full cache."),
        .init("drained_blocks", .counter, \.drainedBlocks, "Blocks of drains."),
        .init("steals", .counter, \.steals, "Caches emptied for another CPU."),
        .init("stolen_blocks", .counter, \.stolenBlocks, "Blocks of steals."),
        .init("capacity_changes", .counter, \.capacityChanges, "Changes of a capacity."),
        .init("vectors_local", .counter, \.vectorsLocal, "Operation vectors run on their own CPU."),
        .init("vectors_remote", .counter, \.vectorsRemote, "Operation vectors run for another CPU."),
        .init(
            "sections_aborted", .counter, \.sectionsAborted,
            "Sections that the kernel aborted, as far as slow paths saw."),
        .init("gates_closed_local", .counter, \.gatesClosedLocal, "Gates closed by a section."),
        .init("gates_closed_remote", .counter, \.gatesClosedRemote, "Gates closed by a fence."),
        .init("direct_allocations", .counter, \.directAllocations, "Blocks allocated around the caches."),
        .init("direct_frees", .counter, \.directFrees, "Blocks freed around the caches."),
    ]

    public init(from decoder: any Decoder) throws { try self.init(decoding: decoder) }
    public func encode(to encoder: any Encoder) throws { try encodeFigures(to: encoder) }
}
