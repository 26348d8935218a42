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
        observed.limits = (
            UInt64(addressOf(&front.limit)), UInt64(addressOf(&front.limit_mm_cid)),
            UInt64(addressOf(&front.limit_sampled)), UInt64(addressOf(&front.limit_sampled_mm_cid))
        )
        observed.samples = UInt64(addressOf(&sampled))
        percolate_order_stores()
        observed.is_ready = 1
    }

    private static func describeRun() {
        observed.mode =
            switch FrontEnd.mode {
            case .sections: 0
            case .locked: 1
            case .hardened: 2
            }
        observed.index = FrontEnd.sequences.index == .cpuID ? 0 : 1
        observed.registration =
            switch FrontEnd.sequences.registration {
            case .none: 0
            case .glibc: 1
            case .own: 2
            }
        observed.can_fence = FrontEnd.sequences.canFence ? 1 : 0
        observed.release =
            switch arena.retention.policy {
            case .prompt: 0
            case .lazy: 1
            case .never: 2
            }
        observed.extends_slices = percolate_slice_area != 0 ? 1 : 0
        observed.slices_extended = word(at: addressOf(&percolate_slices_extended), unit: 1)
        observed.slices_yielded = word(at: addressOf(&percolate_slices_yielded), unit: 1)
        observed.serves_malloc = percolate_serves_malloc() ? 1 : 0
        observed.cache_budget = UInt64(FrontEnd.state.pointee.budget)
        observed.reserved = UInt64(arena.limit) &* UInt64(Arena.pageSize)
        observed.page_size = UInt64(Arena.pageSize)
    }

    private static func describePages() {
        let arenaPages = arena.countAddresses()
        let freePages = arena.retention.countAddresses()
        observed.memory_limit = pages(at: addressOf(&arena.limits.hard))
        observed.in_use = pages(at: arenaPages.inUse)
        observed.committed = pages(at: arenaPages.committed)
        observed.free_resident = pages(at: freePages.resident)
        observed.released = pages(at: freePages.released)
        observed.large = pages(at: addressOf(&arenaState.pointee.largePages))
        observed.metadata_released = pages(at: spans.releasedPagesAddress())
        observed.spans_in_use = word(at: addressOf(&arenaState.pointee.spansInUse), unit: 1)
        observed.metadata = word(at: addressOf(&platformState.pointee.committedMetadata), unit: 1)
    }

    private static func pages(at address: UInt) -> percolate_observed_word {
        word(at: address, unit: UInt64(Arena.pageSize))
    }

    private static func word(at address: UInt, unit: UInt64) -> percolate_observed_word {
        percolate_observed_word(address: UInt64(address), unit: unit)
    }

    private static func describeClasses() {
        observed.classes = percolate_observed_table(
            address: UInt64(sizeClasses.address), stride: UInt32(MemoryLayout<SizeClass>.stride),
            count: UInt32(SizeClass.count))
        let first = sizeClasses[0]
        observed.block_size_offset = distance(from: first, to: &first.pointee.size)
        observed.span_pages_offset = distance(from: first, to: &first.pointee.spanPages)
        observed.span_blocks_offset = distance(from: first, to: &first.pointee.spanBlocks)
    }

    private static func describeLists() {
        observed.lists = percolate_observed_table(
            address: UInt64(Middle.lists.address), stride: UInt32(Middle.stride), count: UInt32(Middle.listCount))
        let counts = Middle.lists[0].pointee.countAddresses()
        observed.span_count_offset = UInt32(counts.spans &- Middle.lists.address)
        observed.free_blocks_offset = UInt32(counts.freeBlocks &- Middle.lists.address)
        observed.first_of_whole_lines = UInt32(Middle.firstOfWholeLines)
        observed.shard_bits = (UInt32(Middle.homeBits), UInt32(Middle.shardBits))
    }

    private static func describeCaches() {
        observed.caches = percolate_observed_table(
            address: UInt64(FrontEnd.caches.address), stride: UInt32(PerCPUCache.stride),
            count: UInt32(FrontEnd.indexCount))
        let first = FrontEnd.caches[0]
        observed.slab_offset = distance(from: first, to: &first.pointee.slab)
        observed.capacity_offset = distance(from: first, to: &first.pointee.capacityBytes)
        observed.budget_offset = distance(from: first, to: &first.pointee.budget)
        observed.headers_offset = UInt32(PERCOLATE_SLAB_HEADERS)
    }

    private static func describeCounters() {
        observed.counters = percolate_observed_table(
            address: UInt64(platformState.pointee.counterRows.address),
            stride: UInt32(Counter.count &* 8),
            count: UInt32(platformState.pointee.counterRowCount))
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
        percolate_observed_column(Heap.observedHeap, figure).pointee = UInt8(truncatingIfNeeded: counter.column)
    }

    private static func distance<Record: ~Copyable, Field>(
        from record: UnsafeMutablePointer<Record>, to field: UnsafePointer<Field>
    ) -> UInt32 {
        UInt32(truncatingIfNeeded: addressOf(field) &- UInt(bitPattern: record))
    }
}
