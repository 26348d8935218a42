import CPercolate

/// Addresses of the arena where nothing is mapped: the kernel unmapped the target of a move before
/// it refused the move (mremap(2)), and refused to map the target again.
///
/// A hole is a span, so that nobody gets its pages, of a kind that no statistics count. It is
/// mapped at the next large block, since until then any mapping of the process may be placed there,
/// and when pages are wanted and there are no others. The list of holes is guarded by the arena's
/// lock; the kinds of the records are the truth of which it is made anew (`repairArena`).

/// The first `count` pages of the large span `id`, where nothing is mapped, become a hole; the
/// others are free. Its owner calls.
func makeHole(_ id: SpanID, pages count: Int) {
    // In a signal handler that interrupted the arena it stays a block that nobody has.
    guard arenaLock.acquire() == .entered else { return }
    let record = spans[id]
    let first = Int(record.pointee.firstPage)
    let old = Int(record.pointee.pages)
    arenaState.pointee.largePages &-= old
    record.pointee.pages = UInt32(truncatingIfNeeded: count)
    percolate_compiler_barrier()
    record.pointee.kind = .hole
    addHole(id)
    if count < old { arena.free((first &+ count)..<(first &+ old)) }
    arenaLock.release()
}

/// The arena's lock is held.
func addHole(_ id: SpanID) {
    spans[id].pointee.next = arenaState.pointee.firstHole
    arenaState.pointee.firstHole = id
}

/// Maps holes, and frees their pages. Whether there are more free pages now.
func mendHoles() -> Bool {
    var isMended = false
    while arenaState.pointee.firstHole != 0, arenaLock.acquire() == .entered {
        let id = arenaState.pointee.firstHole
        guard id != 0 else {
            arenaLock.release()
            break
        }
        // A block of this thread's meanwhile: whoever repairs the arena makes the list anew.
        arenaState.pointee.firstHole = spans[id].pointee.next
        let pages = Int(spans[id].pointee.pages)
        spans[id].pointee.kind = .large
        arenaState.pointee.largePages &+= pages
        arenaLock.release()
        let address = arena.address(Int(spans[id].pointee.firstPage))
        let result = mapPages(address, pages &<< Int(PERCOLATE_PAGE_SHIFT), MAP_FIXED_NOREPLACE)
        guard arenaLock.acquire() == .entered else { break }
        if result > 0 {
            freeSpanLocked(id, clean: true)
            isMended = true
        } else {
            spans[id].pointee.kind = .hole
            arenaState.pointee.largePages &-= pages
            // Where somebody else has mapped something, the addresses are lost for good.
            if result != -Int(EEXIST) { addHole(id) }
        }
        arenaLock.release()
        if result <= 0, result != -Int(EEXIST) { break }
    }
    return isMended
}

/// Maps fresh pages that can join the mappings of the arena around them. What mmap(2) says.
///
/// - Parameter placement: MAP_FIXED, or MAP_FIXED_NOREPLACE where somebody else may be there.
func mapPages(_ address: UInt, _ bytes: Int, _ placement: Int32) -> Int {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | placement
    let result = percolate_mmap(address, bytes, PROT_READ | PROT_WRITE, flags)
    if result > 0, arena.backing == .reserved { _ = percolate_madvise(address, bytes, MADV_NOHUGEPAGE) }
    return result
}
