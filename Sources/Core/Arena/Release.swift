import CPercolate
import Synchronization

/// Giving free pages of the process's arena back to the kernel. One thread does it at a time, without the arena's lock during the
/// system calls, so that others can allocate; the pages in flight count as in use (`Arena.beginRelease`).

/// For callers that made pages free: gives the arena's lock back, and releases free pages as far as the rule of `Retention` asks for
/// it now.
func unlockArenaAndRelease() {
    let demand = arena.retention.demand(percolate_milliseconds())
    arenaLock.release()
    ScavengerRest.end()
    if demand.pages > 0 { release(demand) }
}

/// Releases what `demand` asks for, long runs first.
///
/// - Returns: pages released.
@discardableResult
func release(_ demand: Retention.Demand) -> Int {
    var done = 0
    var shortest = max(demand.shortestRun, Retention.longRun)
    var bound = Int.max
    while done < demand.pages {
        switch releaseRun(most: min(demand.pages &- done, 4096), shortest: shortest, below: bound) {
        case .released(let pages):
            done &+= pages.count
            bound = pages.lowerBound
        case .none where shortest > demand.shortestRun:
            shortest = demand.shortestRun
            bound = .max
        case .none, .refused: return done
        }
    }
    return done
}

/// Releases every free page.
///
/// - Returns: pages released.
func releaseAllFreePages() -> Int {
    var done = 0
    var waits = 0
    while true {
        switch releaseRun(most: 4096, shortest: 1) {
        case .released(let pages): done &+= pages.count
        case .refused: return done
        case .none:
            // Somebody else's run is in flight: not for long, unless it is the frame that a signal handler interrupted.
            guard arenaLock.acquire() == .entered else { return done }
            let isBusy = arena.isReleasing
            arenaLock.release()
            guard isBusy, waits < 100 else { return done }
            waits &+= 1
            percolate_nap(1)
        }
    }
}

/// Releases metadata of pages that are free and not resident: after much was released.
func releaseMetadata() {
    guard arenaLock.acquire() == .entered else { return }
    defer { arenaLock.release() }
    guard spans.hasManyUnused else { return }
    spans.releaseUnused()
    arena.forEachRunOfFreeChunks { spans.releaseEntries(of: $0) }
}

/// Frees the pages that a lost thread was giving back. A frame that a signal handler interrupted inside the arena goes on; then they are
/// freed after it, by the next release.
///
/// - Parameter isLost: whether the thread of that number never finishes its release.
func abandonRelease(where isLost: (UInt32) -> Bool) {
    guard arena.releaser != 0, isLost(arena.releaser) else { return }
    if arenaLock.acquire() == .entered {
        if arena.releaser != 0, isLost(arena.releaser) {
            leftRelease.store(0, ordering: .relaxed)
            arena.abandonRelease()
        }
        arenaLock.release()
    } else {
        leftRelease.store(-1, ordering: .releasing)
    }
}

/// The outcome of a release whose thread could not take the lock again, a signal handler that must not wait: 1 released, -1 refused, 0 there
/// is none. The next release finishes it.
private let leftRelease = Atomic<Int>(0)

private func finishLeftRelease() {
    guard let pages = arena.releasing else { return }
    let outcome = leftRelease.exchange(0, ordering: .acquiring)
    if outcome != 0 { arena.finishRelease(pages, released: outcome > 0) }
}

private enum Outcome {
    case released(Range<Int>)
    /// There is no such run, or another thread releases.
    case none
    /// The memory is locked (mlock(2)).
    case refused
}

private func releaseRun(most: Int, shortest: Int, below bound: Int = .max) -> Outcome {
    guard arenaLock.acquire() == .entered else { return .none }
    finishLeftRelease()
    guard let run = arena.beginRelease(most: most, shortest: shortest, below: bound) else {
        arenaLock.release()
        return .none
    }
    // A run lies in one chunk.
    let chunk = run.lowerBound / Chunk.pages
    let wasHuge = arena.endHugePage(ofChunk: chunk)
    arenaLock.release()
    if wasHuge {
        let bytes = Chunk.pages &<< Int(PERCOLATE_PAGE_SHIFT)
        _ = percolate_madvise(arena.address(chunk &* Chunk.pages), bytes, MADV_NOHUGEPAGE)
    }
    let address = arena.address(run.lowerBound)
    let bytes = run.count &<< Int(PERCOLATE_PAGE_SHIFT)
    let isReleased = percolate_madvise(address, bytes, MADV_DONTNEED) == 0
    if isReleased { announceRelease(address, bytes) }
    if arenaLock.acquire() == .entered {
        arena.finishRelease(run, released: isReleased)
        arenaLock.release()
    } else {
        leftRelease.store(isReleased ? 1 : -1, ordering: .releasing)
    }
    return isReleased ? .released(run) : .refused
}
