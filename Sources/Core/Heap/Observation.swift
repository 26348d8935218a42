import CPercolate

/// Fills in `percolate_observed_heap`: the one place that tells observers where things are.
enum Observation {
    /// At the end of start-up, with everything in place.
    static func publish() {
        describeRun()
        describePages()
        describeClasses()
        describeLists()
        describeCaches()
        describeCounters()
        DebuggerView.publish()
        percolate_observed_heap.limits = (
            UInt64(addressOf(&percolate_front.limit)), UInt64(addressOf(&percolate_front.limit_mm_cid)),
            UInt64(addressOf(&percolate_front.limit_sampled)), UInt64(addressOf(&percolate_front.limit_sampled_mm_cid))
        )
        percolate_observed_heap.samples = UInt64(addressOf(&percolate_samples))
        percolate_order_stores()
        percolate_observed_heap.is_ready = 1
    }

    private static func describeRun() {
        percolate_observed_heap.mode =
            switch FrontEnd.mode {
            case .sections: 0
            case .locked: 1
            case .hardened: 2
            }
        percolate_observed_heap.index = FrontEnd.sequences.index == .cpuID ? 0 : 1
        percolate_observed_heap.registration =
            switch FrontEnd.sequences.registration {
            case .none: 0
            case .glibc: 1
            case .own: 2
            }
        percolate_observed_heap.can_fence = FrontEnd.sequences.canFence ? 1 : 0
        percolate_observed_heap.release =
            switch arena.retention.policy {
            case .prompt: 0
            case .lazy: 1
            case .never: 2
            }
        percolate_observed_heap.serves_malloc = percolate_serves_malloc() ? 1 : 0
        percolate_observed_heap.cache_budget = UInt64(FrontEnd.budget)
        percolate_observed_heap.reserved = UInt64(arena.limit) &* UInt64(Arena.pageSize)
        percolate_observed_heap.page_size = UInt64(Arena.pageSize)
    }

    private static func describePages() {
        let arenaPages = arena.countAddresses()
        let freePages = arena.retention.countAddresses()
        percolate_observed_heap.memory_limit = pages(at: addressOf(&arena.limits.hard))
        percolate_observed_heap.in_use = pages(at: arenaPages.inUse)
        percolate_observed_heap.committed = pages(at: arenaPages.committed)
        percolate_observed_heap.free_resident = pages(at: freePages.resident)
        percolate_observed_heap.released = pages(at: freePages.released)
        percolate_observed_heap.large = pages(at: addressOf(&largePages))
        percolate_observed_heap.metadata_released = pages(at: spans.releasedPagesAddress())
        percolate_observed_heap.spans_in_use = word(at: addressOf(&spansInUse), unit: 1)
        percolate_observed_heap.metadata = word(at: percolate_committed_metadata_address(), unit: 1)
    }

    private static func pages(at address: UInt) -> percolate_observed_word {
        word(at: address, unit: UInt64(Arena.pageSize))
    }

    private static func word(at address: UInt, unit: UInt64) -> percolate_observed_word {
        percolate_observed_word(address: UInt64(address), unit: unit)
    }

    private static func describeClasses() {
        percolate_observed_heap.classes = percolate_observed_table(
            address: UInt64(sizeClasses.address), stride: UInt32(MemoryLayout<SizeClass>.stride),
            count: UInt32(SizeClass.count))
        let first = sizeClasses[0]
        percolate_observed_heap.block_size_offset = distance(from: first, to: &first.pointee.size)
        percolate_observed_heap.span_pages_offset = distance(from: first, to: &first.pointee.spanPages)
        percolate_observed_heap.span_blocks_offset = distance(from: first, to: &first.pointee.spanBlocks)
    }

    private static func describeLists() {
        percolate_observed_heap.lists = percolate_observed_table(
            address: UInt64(Middle.lists.address), stride: UInt32(Middle.stride), count: UInt32(Middle.listCount))
        let counts = Middle.lists[0].pointee.countAddresses()
        percolate_observed_heap.span_count_offset = UInt32(counts.spans &- Middle.lists.address)
        percolate_observed_heap.free_blocks_offset = UInt32(counts.freeBlocks &- Middle.lists.address)
        percolate_observed_heap.first_of_whole_lines = UInt32(Middle.firstOfWholeLines)
        percolate_observed_heap.shard_bits = (UInt32(Middle.homeBits), UInt32(Middle.shardBits))
    }

    private static func describeCaches() {
        percolate_observed_heap.caches = percolate_observed_table(
            address: UInt64(FrontEnd.caches.address), stride: UInt32(PerCPUCache.stride),
            count: UInt32(FrontEnd.indexCount))
        let first = FrontEnd.caches[0]
        percolate_observed_heap.slab_offset = distance(from: first, to: &first.pointee.slab)
        percolate_observed_heap.capacity_offset = distance(from: first, to: &first.pointee.capacityBytes)
        percolate_observed_heap.budget_offset = distance(from: first, to: &first.pointee.budget)
        percolate_observed_heap.headers_offset = UInt32(PERCOLATE_SLAB_HEADERS)
    }

    private static func describeCounters() {
        percolate_observed_heap.counters = percolate_observed_table(
            address: UInt64(counterRows.address), stride: UInt32(Counter.count &* 8), count: UInt32(counterRowCount))
        column(PERCOLATE_OBSERVED_REFILLS, .refills)
        column(PERCOLATE_OBSERVED_REFILLED_BLOCKS, .refilledObjects)
        column(PERCOLATE_OBSERVED_DRAINS, .drains)
        column(PERCOLATE_OBSERVED_DRAINED_BLOCKS, .drainedObjects)
        column(PERCOLATE_OBSERVED_STEALS, .steals)
        column(PERCOLATE_OBSERVED_STOLEN_BLOCKS, .stolenObjects)
        column(PERCOLATE_OBSERVED_CAPACITY_CHANGES, .capacityChanges)
        column(PERCOLATE_OBSERVED_VECTORS_LOCAL, .vectorsLocal)
        column(PERCOLATE_OBSERVED_VECTORS_REMOTE, .vectorsRemote)
        column(PERCOLATE_OBSERVED_SECTIONS_ABORTED, .sectionsAborted)
        column(PERCOLATE_OBSERVED_GATES_CLOSED_LOCAL, .gatesClosedLocal)
        column(PERCOLATE_OBSERVED_GATES_CLOSED_REMOTE, .gatesClosedRemote)
        column(PERCOLATE_OBSERVED_DIRECT_ALLOCATIONS, .directAllocations)
        column(PERCOLATE_OBSERVED_DIRECT_FREES, .directFrees)
        column(PERCOLATE_OBSERVED_LARGE_ALLOCATIONS, .largeAllocations)
        column(PERCOLATE_OBSERVED_LARGE_FREES, .largeFrees)
        column(PERCOLATE_OBSERVED_EMERGENCY_ALLOCATIONS, .emergencyAllocations)
        column(PERCOLATE_OBSERVED_WITHHELD_BYTES, .withheldBytes)
        column(PERCOLATE_OBSERVED_WITHHELD_LARGE_BYTES, .withheldLargeBytes)
    }

    private static func column(_ figure: percolate_observed_counter, _ counter: Counter) {
        percolate_observed_column(Heap.observedHeap, figure).pointee = UInt8(truncatingIfNeeded: counter.rawValue)
    }

    private static func distance<Record: ~Copyable, Field>(
        from record: UnsafeMutablePointer<Record>, to field: UnsafePointer<Field>
    ) -> UInt32 {
        UInt32(truncatingIfNeeded: addressOf(field) &- UInt(bitPattern: record))
    }
}
