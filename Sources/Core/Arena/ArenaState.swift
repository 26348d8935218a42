import CPercolate

/// The process's arena and its spans: what every thread shares below the middle tier. One lock guards all of it.
nonisolated(unsafe) var arena = Arena()
nonisolated(unsafe) var spans = SpanTable()
/// One byte for each page: the size class of its blocks, 0 where it has none. The fast path of `free` reads it.
nonisolated(unsafe) var pageClasses = Reservation()

var arenaLock: Lock { Lock(at: percolate_arena_lock_address()) }

/// Spans in use, for statistics.
nonisolated(unsafe) var spansInUse = 0
/// Pages of large blocks. Guarded by the arena's lock.
nonisolated(unsafe) var largePages = 0

/// Allocates a span of `pages` pages. Nil when there is no memory; `interrupted` is set when the calling thread holds the arena
/// already, that is, in a signal handler that interrupted it.
///
/// - Parameter blockSize: for tracers, here and in `freeSpanLocked`: bytes of each of the span's blocks, 0 for one large block.
func allocateSpan(
    pages count: Int, alignment: Int = 1, kind: Span.Kind, sizeClass: Int = 0, blockSize: Int = 0,
    growing: Bool = true, interrupted: inout Bool
) -> (id: SpanID, allocation: Arena.Allocation)? {
    guard arenaLock.acquire() == .entered else {
        interrupted = true
        return nil
    }
    defer { arenaLock.release() }
    guard let allocation = arena.allocate(count, alignment: alignment, growing: growing) else { return nil }
    let pages = allocation.first..<(allocation.first &+ count)
    let id = growTables() ? spans.makeRecord() : 0
    guard id != 0 else {
        arena.free(pages)
        return nil
    }
    if kind == .small { arena.considerHugePage(pages) }
    let record = spans[id]
    record.pointee = Span()
    record.pointee.firstPage = UInt32(truncatingIfNeeded: allocation.first)
    record.pointee.pages = UInt32(truncatingIfNeeded: count)
    record.pointee.sizeClass = UInt8(truncatingIfNeeded: sizeClass)
    // Pages inside a large block stay without a span: a pointer into it is found to be one by that.
    spans.setSpan(id, of: kind == .large ? pages.lowerBound..<(pages.lowerBound &+ 1) : pages)
    if sizeClass != 0 { setPageClass(sizeClass, of: pages) }
    // The span is there from this store on (`repairArena`).
    percolate_compiler_barrier()
    record.pointee.kind = kind
    spansInUse &+= 1
    if kind == .large {
        largePages &+= count
        tally(.largeAllocations, at: 0)
    }
    announceSpanAllocation(pages, blockSize: blockSize)
    return (id, allocation)
}

/// Frees a span and its pages. The caller holds the arena's lock.
func freeSpanLocked(_ id: SpanID, clean: Bool = false, blockSize: Int = 0) {
    let record = spans[id].pointee
    let pages = Int(record.firstPage)..<Int(record.firstPage &+ record.pages)
    announceSpanFree(pages, blockSize: blockSize)
    // The span is gone from this store on.
    spans[id].pointee.kind = .unused
    percolate_compiler_barrier()
    if record.kind == .small {
        setPageClass(0, of: pages)
        spans.setSpan(0, of: pages)
    } else {
        spans.setSpan(0, of: pages.lowerBound..<(pages.lowerBound &+ 1))
        largePages &-= pages.count
        tally(.largeFrees, at: 0)
    }
    spans.returnRecord(id)
    arena.free(pages, clean: clean)
    spansInUse &-= 1
}

func announceSpanAllocation(_ pages: Range<Int>, blockSize: Int) {
    guard percolate_span_allocate_is_traced() != 0 else { return }
    percolate_trace_span_allocate(UInt64(arena.address(pages.lowerBound)), UInt64(pages.count), UInt64(blockSize))
}

func announceSpanFree(_ pages: Range<Int>, blockSize: Int) {
    guard percolate_span_free_is_traced() != 0 else { return }
    percolate_trace_span_free(UInt64(arena.address(pages.lowerBound)), UInt64(pages.count), UInt64(blockSize))
}

func announceRelease(_ address: UInt, _ bytes: Int) {
    guard percolate_release_is_traced() != 0 else { return }
    percolate_trace_release(UInt64(address), UInt64(bytes))
}

private func setPageClass(_ sizeClass: Int, of pages: Range<Int>) {
    let entries = Table<UInt8>(address: pageClasses.address)
    for page in pages { entries[page].pointee = UInt8(truncatingIfNeeded: sizeClass) }
}

/// Makes the arena and the spans whole after a thread was lost in them. The lock is held.
///
/// The records of spans are the truth, each by one store to its kind: a large block that was on its way in or out is lost or free as a whole.
func repairArena() {
    spans.rebuild()
    spansInUse = 0
    largePages = 0
    for id in spans.recordNumbers {
        let record = spans[id].pointee
        guard record.kind != .unused else { continue }
        spansInUse &+= 1
        if record.kind == .large { largePages &+= Int(record.pages) }
    }
    arena.repair(spans)
    clearStalePageClasses()
}

/// Pages of no span have no size class.
private func clearStalePageClasses() {
    let entries = Table<UInt8>(address: pageClasses.address)
    for page in 0..<publishedPages where entries[page].pointee != 0 {
        let id = spans.span(of: page)
        if id == 0 || spans[id].pointee.kind != .small { entries[page].pointee = 0 }
    }
}

/// Keeps the tables that `free` reads as long as the committed part, and tells the fast path. The lock is held.
func growTables() -> Bool {
    guard arena.committed > publishedPages else { return true }
    guard spans.grow(toPages: arena.committed), pageClasses.commit(UInt(arena.committed)) else { return false }
    publishedPages = arena.committed
    // A limit of 0 says that the fast path is off: start-up or vfork, which also hold this lock to change it, turn it on.
    if percolate_front.limit != 0 { percolate_front.pages = UInt64(arena.committed) }
    if percolate_front.limit_mm_cid != 0 { percolate_front.pages_mm_cid = UInt64(arena.committed) }
    return true
}

/// Pages for which `spans` and `pageClasses` have entries.
nonisolated(unsafe) private(set) var publishedPages = 0
