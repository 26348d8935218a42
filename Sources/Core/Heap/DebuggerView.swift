import CPercolate

/// Fills in `percolate_debugger_view`: what a debugger's script needs beyond `percolate_observed_heap`.
enum DebuggerView {
    /// At the end of start-up, with everything in place.
    static func publish() {
        percolate_debugger_view.spans = UInt64(UInt(bitPattern: spans[0]))
        percolate_debugger_view.span_stride = UInt64(Span.stride)
        percolate_debugger_view.page_spans = UInt64(spans.pageSpansAddress)
        describeSpans()
        percolate_debugger_view.fork_gate = UInt64(percolate_fork_gate_address())
        percolate_debugger_view.fork_gate_slots = (UInt64(PERCOLATE_FORK_GATE_LINES) &- 1) &* 16
        percolate_debugger_view.start_lock = UInt64(percolate_start_lock_address())
        percolate_debugger_view.arena_lock = UInt64(percolate_arena_lock_address())
        percolate_debugger_view.counting_lock = UInt64(percolate_counting_lock_address())
        // Both records begin with their locks.
        percolate_debugger_view.list_lock_offset = 0
        percolate_debugger_view.cache_lock_offset = 0
        describeTransferCaches()
        percolate_debugger_view.gates = percolate_front.tables &+ UInt64(PERCOLATE_TABLE_GATES)
        percolate_debugger_view.closed_slab = FrontEnd.closed
        percolate_debugger_view.page_shift = UInt64(PERCOLATE_PAGE_SHIFT)
        percolate_debugger_view.page_classes = percolate_front.tables &+ UInt64(PERCOLATE_TABLE_PAGE_CLASS)
    }

    /// Takes addresses in a record that need not be there.
    private static func describeSpans() {
        let span = spans[0]
        percolate_debugger_view.first_page = field(&span.pointee.firstPage, of: span)
        percolate_debugger_view.pages = field(&span.pointee.pages, of: span)
        percolate_debugger_view.kind = field(&span.pointee.kind, of: span)
        percolate_debugger_view.size_class = field(&span.pointee.sizeClass, of: span)
        percolate_debugger_view.shard = field(&span.pointee.shard, of: span)
        percolate_debugger_view.blocks = field(&span.pointee.blocks, of: span)
        percolate_debugger_view.free = field(&span.pointee.free, of: span)
        percolate_debugger_view.bits_offset = UInt64(Span.bitsOffset)
    }

    private static func describeTransferCaches() {
        let fields = Middle.lists[0].pointee.transfer.fieldAddresses()
        percolate_debugger_view.transfer_part = percolate_debugger_field(
            offset: UInt32(fields.part &- Middle.lists.address), size: 4)
        percolate_debugger_view.transfer_count = percolate_debugger_field(
            offset: UInt32(fields.count &- Middle.lists.address), size: 2)
        percolate_debugger_view.transfer_memory = UInt64(TransferMemory.addressOfStart())
        percolate_debugger_view.transfer_part_bytes = UInt64(TransferMemory.wordsOfPart &* 8)
    }

    private static func field<Field>(
        _ field: UnsafePointer<Field>, of span: UnsafeMutablePointer<Span>
    ) -> percolate_debugger_field {
        percolate_debugger_field(
            offset: UInt32(truncatingIfNeeded: addressOf(field) &- UInt(bitPattern: span)),
            size: UInt32(MemoryLayout<Field>.size))
    }
}
