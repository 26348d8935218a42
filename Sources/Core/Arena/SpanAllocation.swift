import CPercolate

extension Counter {
    static var largeAllocations: Counter { Counter(12) }
    static var largeFrees: Counter { Counter(13) }
}

/// Allocates a span, in front of a chain of further ones where the request asks for several.
///
/// Pages that another thread gives back to the kernel are free again soon. A thread that finds no
/// others waits for them.
func allocateSpan(_ request: SpanRequest) -> Supply<FreshSpan> {
    var waits = 0
    while true {
        guard arenaLock.acquire() == .entered else { return .refused }
        let isReleasing = arena.isReleasingElsewhere
        switch allocateLocked(request) {
        case .span(let id, let allocation, let huge, let demand):
            arenaLock.release()
            adviseHugePages(huge)
            // The pages are not touched yet: what goes back first makes room for them.
            if demand.pages > 0 { release(demand, batches: mostBatches) }
            return .given(FreshSpan(id: id, allocation: allocation))
        case .overLimit:
            arenaLock.release()
            guard mendHoles() else { return .noMemory }
        case .noRun:
            arenaLock.release()
            guard request.isGrowing else { return .noMemory }
            switch growArena(request.pages &+ request.alignment &- 1) {
            case .given: continue
            case .refused: return .refused
            case .noMemory:
                if mendHoles() { continue }
                guard isReleasing, waits < mostWaits else { return .noMemory }
                waits &+= 1
                percolate_nap_microseconds(100)
            }
        }
    }
}

/// Waits for pages that are being released: a second and more, which no release takes.
private let mostWaits = 10000

private enum Attempt {
    case span(SpanID, Arena.Allocation, huge: Range<Int>, Retention.Demand)
    case noRun, overLimit
}

/// The arena's lock is held.
private func allocateLocked(_ request: SpanRequest) -> Attempt {
    let id = spans.makeRecord()
    guard id != 0 else { return .noRun }
    let allocation: Arena.Allocation
    do throws(Arena.Shortage) {
        allocation =
            request.most > 1
            ? try arena.allocate(request.pages, upToTimes: request.most)
            : try arena.allocate(request.pages, alignment: request.alignment)
    } catch {
        spans.returnRecord(id)
        return error == .overLimit ? .overLimit : .noRun
    }
    let pages = allocation.first..<(allocation.first &+ allocation.count)
    let isSmall = request.kind == .small
    let used = makeSpans(id, of: pages, request)
    let huge = isSmall ? arena.hugePages(forSpan: pages) : hugePages(forBlock: allocation, of: pages.count)
    // Where records run out, what was one run too long goes back.
    if used < pages.upperBound { arena.free(used..<pages.upperBound) }
    let clean = pages.count &- allocation.dirty.count
    var demand = arena.retention.payDebt(inUse: arena.inUse)
    let excess = arena.limits.excess(clean, inUse: arena.inUse &- clean, resident: arena.retention.resident)
    if excess > demand.pages { demand = Retention.Demand(pages: excess, shortestRun: 1) }
    return .span(id, allocation, huge: huge, demand)
}

/// Makes spans of `pages`, which are allocated: the first with record `first`, and a chain of them.
/// The page behind the last one. The arena's lock is held.
private func makeSpans(_ first: SpanID, of pages: Range<Int>, _ request: SpanRequest) -> Int {
    var id = first
    var start = pages.lowerBound
    while true {
        let own = start..<(start &+ request.pages)
        start = own.upperBound
        let next = start < pages.upperBound ? spans.makeRecord() : 0
        makeSpan(id, of: own, next: next, request)
        guard next != 0 else { return start }
        id = next
    }
}

private func makeSpan(_ id: SpanID, of pages: Range<Int>, next: SpanID, _ request: SpanRequest) {
    if request.sizeClass != 0, request.isPublished { setPageClass(request.sizeClass, of: pages) }
    writeRecord(id, of: pages, request.kind, next: next, sizeClass: request.sizeClass)
    if request.kind != .small {
        arenaState.pointee.largePages &+= pages.count
        tally(.largeAllocations, at: 0)
    }
    announceSpanAllocation(pages, blockSize: request.blockSize)
}

/// Writes the record of a span, and the entries of its pages. The arena's lock is held.
private func writeRecord(
    _ id: SpanID, of pages: Range<Int>, _ kind: Span.Kind, next: SpanID = 0, sizeClass: Int = 0
) {
    let record = spans[id]
    record.pointee = Span()
    record.pointee.firstPage = UInt32(truncatingIfNeeded: pages.lowerBound)
    record.pointee.pages = UInt32(truncatingIfNeeded: pages.count)
    record.pointee.next = next
    record.pointee.sizeClass = UInt8(truncatingIfNeeded: sizeClass)
    // Pages inside a large block stay without a span: a pointer into it is found to be one by that.
    spans.setSpan(id, of: kind == .small ? pages : pages.lowerBound..<(pages.lowerBound &+ 1))
    // The span is there from this store on (`repairArena`).
    percolate_compiler_barrier()
    record.pointee.kind = kind
    arenaState.pointee.spansInUse &+= 1
}

/// At most 2 MiB of free pages for a table of the heap itself, where a limit of the process leaves
/// no addresses outside the arena: those of `bytes` bytes, which read as zero. They lie at its end,
/// so that they are in no large block's way, and stay there. 0 when there are none.
func allocateMetadata(_ bytes: Int) -> UInt {
    let count = Int(roundUp(UInt(bytes), Reservation.pageSize)) &>> Int(PERCOLATE_PAGE_SHIFT)
    guard count <= Chunk.pages, arenaLock.acquire() == .entered else { return 0 }
    let id = spans.makeRecord()
    guard id != 0, let allocation = arena.allocate(last: count) else {
        if id != 0 { spans.returnRecord(id) }
        arenaLock.release()
        return 0
    }
    writeRecord(id, of: allocation.first..<(allocation.first &+ count), .metadata)
    arenaLock.release()
    let address = arena.address(allocation.first)
    if !allocation.dirty.isEmpty { percolate_zero(address, count &<< Int(PERCOLATE_PAGE_SHIFT)) }
    return address
}

/// Takes `count` free pages out of the arena for good, so that the kernel charges nothing for them:
/// others need the charge (RLIMIT_DATA). Their addresses are lost, of which there are plenty. False
/// when there are fewer.
func retireFreePages(_ count: Int) -> Bool {
    var left = count
    while left > 0 {
        guard arenaLock.acquire() == .entered else { return false }
        let count = Arena.wholeSystemPages(min(left, 64))
        guard let allocation = arena.allocate(last: count) else {
            arenaLock.release()
            return false
        }
        let pages = allocation.first..<(allocation.first &+ count)
        // From here on they are none, whatever becomes of the calling thread.
        arena.retire(pages)
        arenaLock.release()
        Reservation.makeUnusable(arena.address(pages.lowerBound), pages.count &<< Int(PERCOLATE_PAGE_SHIFT))
        left &-= pages.count
    }
    return true
}

/// The pages of `allocation`, of a large block of `count` pages, that get huge pages; empty for
/// none. The arena's lock is held.
func hugePages(forBlock allocation: Arena.Allocation, of count: Int) -> Range<Int> {
    guard allocation.dirty.isEmpty else { return 0..<0 }
    let pages = allocation.first..<(allocation.first &+ allocation.count)
    return arena.hugePages(forBlock: pages, of: count)
}

/// Tells the kernel, without a lock, before `pages` are touched.
func adviseHugePages(_ pages: Range<Int>) {
    guard !pages.isEmpty else { return }
    let bytes = pages.count &<< Int(PERCOLATE_PAGE_SHIFT)
    _ = percolate_madvise(arena.address(pages.lowerBound), bytes, MADV_HUGEPAGE)
}

/// Frees a span and its pages. The caller holds the arena's lock.
///
/// - Parameter next: the span that the caller frees next: the tree of free pages is brought in line
///   with a chunk once.
func freeSpanLocked(_ id: SpanID, clean: Bool = false, blockSize: Int = 0, before next: SpanID = 0) {
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
        arenaState.pointee.largePages &-= pages.count
        tally(.largeFrees, at: 0)
    }
    spans.returnRecord(id)
    arena.free(pages, clean: clean, mayWait: next != 0 && lieInOneChunk(record, spans[next].pointee))
    arenaState.pointee.spansInUse &-= 1
}

private func lieInOneChunk(_ one: Span, _ other: Span) -> Bool {
    let chunks = FreeTree.chunks(of: Int(one.firstPage)..<Int(one.firstPage &+ one.pages))
    return chunks.count == 1
        && chunks == FreeTree.chunks(of: Int(other.firstPage)..<Int(other.firstPage &+ other.pages))
}

func announceSpanAllocation(_ pages: Range<Int>, blockSize: Int) {
    guard percolate_span_allocate_is_traced() != 0 else { return }
    percolate_trace_span_allocate(UInt64(arena.address(pages.lowerBound)), UInt64(pages.count), UInt64(blockSize))
}

func announceSpanFree(_ pages: Range<Int>, blockSize: Int) {
    guard percolate_span_free_is_traced() != 0 else { return }
    percolate_trace_span_free(UInt64(arena.address(pages.lowerBound)), UInt64(pages.count), UInt64(blockSize))
}

private func setPageClass(_ sizeClass: Int, of pages: Range<Int>) {
    let entries = Table<UInt8>(address: arenaState.pointee.pageClasses.address)
    for page in pages { entries[page].pointee = UInt8(truncatingIfNeeded: sizeClass) }
}
