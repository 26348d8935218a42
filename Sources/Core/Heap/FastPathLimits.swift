import CPercolate

/// Tells the fast path what it may do: nothing before start-up, without open gates, around vfork,
/// or while a scope counts. The caller holds the arena's lock: growth of the arena changes the same
/// variables.
func publishFront() {
    let live =
        Heap.phase == .ready && FrontEnd.mode == .sections && !FrontEnd.isSuspended
        && !Counting.isActive
    let byMMCID = FrontEnd.sequences.index == .mmCID
    let isMarked = Hardening.level != .off
    let open = live ? UInt64(PERCOLATE_SMALL_MAX) &+ 1 : 0
    let openPages = live ? UInt64(publishedPages) : 0
    let limit = isMarked ? 0 : open
    let pages = isMarked ? 0 : openPages
    #if PERCOLATE_REFILL_SAMPLES
        // A test build: the fast path counts nothing, and the statistics of samples must fail.
        let isPlain = true
    #else
        let isPlain = !Countdown.isOn
    #endif
    // Under basic hardening samples are taken in the slow path.
    let marked = isMarked && isPlain ? open : 0
    front.limit_marked = byMMCID ? 0 : marked
    front.limit_marked_mm_cid = byMMCID ? marked : 0
    front.pages_marked = isMarked && !byMMCID ? openPages : 0
    front.pages_marked_mm_cid = isMarked && byMMCID ? openPages : 0
    front.limit = isPlain && !byMMCID ? limit : 0
    front.limit_mm_cid = isPlain && byMMCID ? limit : 0
    let sampled = isPlain || Countdown.state.pointee.takesAll ? 0 : limit
    front.limit_sampled = byMMCID ? 0 : sampled
    front.limit_sampled_mm_cid = byMMCID ? sampled : 0
    Requests.state.pointee.publishedLimits = Requests.limits
    front.pages = byMMCID ? 0 : pages
    front.pages_mm_cid = byMMCID ? pages : 0
}
