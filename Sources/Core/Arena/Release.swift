import CPercolate
import Synchronization

/// Giving free pages of the process's arena back to the kernel. One thread does it at a time,
/// without the arena's lock during the system calls, so that others can allocate. A thread that
/// finds no other free page waits (`allocateSpan`).

/// For callers that made pages free: gives the arena's lock back, and releases free pages as far as
/// the rule of `Retention` asks for it now.
func unlockArenaAndRelease() {
    let demand = arena.retention.demand(inUse: arena.inUse, at: percolate_milliseconds())
    let isPossible = demand.pages > 0 && arena.tree.hasReleasable(demand.shortestRun)
    arenaLock.release()
    ScavengerSleep.end()
    if isPossible { release(demand, batches: mostBatches) }
}

/// Batches that one operation of the program may have to wait for: less than a millisecond.
let mostBatches = 8

/// Releases what `demand` asks for, long runs first, in so many batches at most.
///
/// - Returns: pages released.
@discardableResult
func release(_ demand: Retention.Demand, batches: Int = .max) -> Int {
    var done = 0
    var count = 0
    var shortest = max(demand.shortestRun, Retention.longRun)
    while done < demand.pages, count < batches {
        count &+= 1
        let (pages, isRefused) = releaseBatch(most: min(demand.pages &- done, mostPages), shortest: shortest)
        done &+= pages
        if isRefused { return done }
        guard pages == 0 else { continue }
        if shortest == demand.shortestRun { return done }
        shortest = demand.shortestRun
    }
    return done
}

/// Pages of one batch: the time of the kernel for them bounds how long somebody may have to wait
/// for them.
private let mostPages = 16384

/// Releases every free page, but for those that other threads free meanwhile: as fast as those
/// come, it would not end.
///
/// - Returns: pages released.
func releaseAllFreePages() -> Int {
    guard arenaLock.acquire() == .entered else { return 0 }
    let resident = arena.retention.resident
    arenaLock.release()
    var done = 0
    var waits = 0
    while done < resident || done == 0 {
        let (pages, isRefused) = releaseBatch(most: mostPages, shortest: 1)
        done &+= pages
        if isRefused { return done }
        guard pages == 0 else { continue }
        // Somebody else's batch is on its way: not for long, unless it is the frame that a signal
        // handler interrupted.
        guard arenaLock.acquire() == .entered else { return done }
        let isBusy = arena.isReleasingElsewhere
        arenaLock.release()
        guard isBusy, waits < 100 else { return done }
        waits &+= 1
        percolate_nap(1)
    }
    return done
}

/// Releases metadata of pages that are free and not resident: after much was released.
func releaseMetadata() {
    guard arenaLock.acquire() == .entered else { return }
    defer { arenaLock.release() }
    guard spans.hasManyUnused else { return }
    spans.releaseUnused()
    arena.forEachRunOfFreeChunks { spans.releaseEntries(of: $0) }
}

/// Frees the pages that a lost thread was giving back. A frame that a signal handler interrupted
/// inside the arena goes on; then they are freed after it, by the next release.
///
/// - Parameter isLost: whether the thread of that number never finishes its release.
func abandonRelease(where isLost: (UInt32) -> Bool) {
    guard arena.releaser != 0, isLost(arena.releaser) else { return }
    if arenaLock.acquire() == .entered {
        if arena.releaser != 0, isLost(arena.releaser) {
            arenaState.pointee.leftRelease.store(0, ordering: .relaxed)
            arena.abandonRelease()
        }
        arenaLock.release()
    } else {
        arenaState.pointee.leftRelease.store(leftMark, ordering: .releasing)
    }
}

/// Set in `ArenaState.leftRelease` where there is one.
private let leftMark: UInt64 = 1 << 63

private func finishLeftRelease() {
    let outcome = arenaState.pointee.leftRelease.exchange(0, ordering: .acquiring)
    if outcome != 0 { arena.finishRelease(outcome & ~leftMark, at: percolate_milliseconds()) }
}

/// Releases one batch.
///
/// - Returns: pages that the kernel took back, and whether it kept some: locked memory (mlock(2)).
private func releaseBatch(most: Int, shortest: Int) -> (pages: Int, isRefused: Bool) {
    guard arenaLock.acquire() == .entered else { return (0, false) }
    finishLeftRelease()
    guard arena.beginRelease(most: most, shortest: shortest) else {
        arenaLock.release()
        return (0, false)
    }
    let batch = arena.releasing
    arenaLock.release()
    var released: UInt64 = 0
    var pages = 0
    for index in 0..<batch.count where releaseRun(batch[index], wasHuge: batch.wasHuge(index)) {
        released |= 1 &<< UInt64(index)
        pages &+= batch[index].count
    }
    if arenaLock.acquire() == .entered {
        arena.finishRelease(released, at: percolate_milliseconds())
        arenaLock.release()
    } else {
        arenaState.pointee.leftRelease.store(released | leftMark, ordering: .releasing)
    }
    return (pages, pages < batch.pageCount)
}

private func releaseRun(_ pages: Range<Int>, wasHuge: Bool) -> Bool {
    if wasHuge {
        let chunks = FreeTree.chunks(of: pages)
        let bytes = chunks.count &* Chunk.pages &<< Int(PERCOLATE_PAGE_SHIFT)
        _ = percolate_madvise(arena.address(chunks.lowerBound &* Chunk.pages), bytes, MADV_NOHUGEPAGE)
    }
    let address = arena.address(pages.lowerBound)
    let bytes = pages.count &<< Int(PERCOLATE_PAGE_SHIFT)
    guard percolate_madvise(address, bytes, MADV_DONTNEED) == 0 else { return false }
    announceRelease(address, bytes)
    return true
}

func announceRelease(_ address: UInt, _ bytes: Int) {
    guard percolate_release_is_traced() != 0 else { return }
    percolate_trace_release(UInt64(address), UInt64(bytes))
}
