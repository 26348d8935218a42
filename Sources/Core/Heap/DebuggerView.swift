import CPercolate

/// Fills in `percolate_debugger_view`: what a debugger's script needs beyond
/// `percolate_observed_heap`.
enum DebuggerView {
    private static var debuggerView: percolate_debugger_view {
        @inline(__always) unsafeAddress { UnsafePointer(pinned(&shared.pointee.debugger)) }
        @inline(__always) unsafeMutableAddress { pinned(&shared.pointee.debugger) }
    }

    private static var shared: UnsafeMutablePointer<percolate_heap> {
        pinned(&platformState.pointee.shared)
    }

    /// At the end of start-up, with everything in place.
    static func publish() {
        debuggerView.spans = UInt64(UInt(bitPattern: spans[0]))
        debuggerView.span_stride = UInt64(Span.stride)
        debuggerView.page_spans = UInt64(spans.pageSpansAddress)
        describeSpans()
        debuggerView.fork_gate = UInt64(percolate_fork_gate_address())
        debuggerView.fork_gate_slots = (UInt64(PERCOLATE_FORK_GATE_LINES) &- 1) &* 16
        debuggerView.start_lock = UInt64(Heap.startLock.address)
        debuggerView.arena_lock = UInt64(arenaLock.address)
        debuggerView.counting_lock = UInt64(Counting.lock.address)
        // Both records begin with their locks.
        debuggerView.list_lock_offset = 0
        debuggerView.cache_lock_offset = 0
        describeTransferCaches()
        debuggerView.gates = front.tables &+ UInt64(PERCOLATE_TABLE_GATES)
        debuggerView.closed_slab = FrontEnd.closed
        debuggerView.page_shift = UInt64(PERCOLATE_PAGE_SHIFT)
        debuggerView.page_classes = front.tables &+ UInt64(PERCOLATE_TABLE_PAGE_CLASS)
    }

    /// Takes addresses in a record that need not be there.
    private static func describeSpans() {
        let span = spans[0]
        debuggerView.first_page = field(&span.pointee.firstPage, of: span)
        debuggerView.pages = field(&span.pointee.pages, of: span)
        debuggerView.kind = field(&span.pointee.kind, of: span)
        debuggerView.size_class = field(&span.pointee.sizeClass, of: span)
        debuggerView.shard = field(&span.pointee.shard, of: span)
        debuggerView.blocks = field(&span.pointee.blocks, of: span)
        debuggerView.free = field(&span.pointee.free, of: span)
        debuggerView.bits_offset = UInt64(Span.bitsOffset)
    }

    private static func describeTransferCaches() {
        let fields = Middle.lists[0].pointee.transfer.fieldAddresses()
        debuggerView.transfer_part = percolate_debugger_field(
            offset: UInt32(fields.part &- Middle.lists.address), size: 4)
        debuggerView.transfer_count = percolate_debugger_field(
            offset: UInt32(fields.count &- Middle.lists.address), size: 2)
        debuggerView.transfer_memory = UInt64(TransferMemory.addressOfStart())
        debuggerView.transfer_part_bytes = UInt64(TransferMemory.wordsOfPart &* 8)
    }

    private static func field<Field>(
        _ field: UnsafePointer<Field>, of span: UnsafeMutablePointer<Span>
    ) -> percolate_debugger_field {
        percolate_debugger_field(
            offset: UInt32(truncatingIfNeeded: addressOf(field) &- UInt(bitPattern: span)),
            size: UInt32(MemoryLayout<Field>.size))
    }
}
