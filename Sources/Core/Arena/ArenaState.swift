import CPercolate
import Synchronization

/// This layer's part of a heap's state (`PlatformState`): the arena and its spans, what every
/// thread shares below the middle tier. The arena's lock guards all of it but `marks`,
/// `groupReadAt` and `leftRelease`.
struct ArenaState: ~Copyable {
    private var below: PlatformState
    // Read by every slow path and seldom written.
    /// One byte for each page: the size class of its blocks, 0 where it has none. The fast path of
    /// `free` reads it.
    var pageClasses: Reservation
    /// Pages for which `spans` and `pageClasses` have entries.
    var publishedPages: Int
    /// Written once, when the heap becomes hardened.
    var marks: Marks
    private var firstLine: CacheLine
    // Changes with each span.
    var arena: Arena
    /// Spans in use, for statistics.
    var spansInUse: Int
    /// Pages of large blocks.
    var largePages: Int
    /// The holes, chained by `next`; 0 ends the list.
    var firstHole: SpanID
    /// When the limit of the memory control group was last read. Guarded by the lock of growth.
    var groupReadAt: UInt64
    /// The outcome of a release whose thread could not take the lock again, a signal handler that
    /// must not wait, with the highest bit set; 0 where there is none. The next release finishes
    /// it.
    let leftRelease: Atomic<UInt64>
    private var secondLine: CacheLine
    /// Where the records are, which every slow path reads.
    var spans: SpanTable
}

@inline(__always)
var arenaState: UnsafeMutablePointer<ArenaState> { pointer(heapAddress) }

var arena: Arena {
    @inline(__always) unsafeAddress { UnsafePointer(pinned(&arenaState.pointee.arena)) }
    @inline(__always) unsafeMutableAddress { pinned(&arenaState.pointee.arena) }
}

var spans: SpanTable {
    @inline(__always) unsafeAddress { UnsafePointer(pinned(&arenaState.pointee.spans)) }
    @inline(__always) unsafeMutableAddress { pinned(&arenaState.pointee.spans) }
}

var marks: Marks {
    @inline(__always) unsafeAddress { UnsafePointer(pinned(&arenaState.pointee.marks)) }
    @inline(__always) unsafeMutableAddress { pinned(&arenaState.pointee.marks) }
}

@inline(__always)
var publishedPages: Int { arenaState.pointee.publishedPages }

var arenaLock: Lock { Lock(at: addressOf(&platformState.pointee.shared.arena_lock.word)) }

/// A thread that makes more pages usable holds it for as long as that takes (`Growth`). The arena's
/// lock is taken inside it.
var growthLock: Lock { Lock(at: addressOf(&platformState.pointee.shared.growth_lock.word)) }

/// Pages of a heap to which limits of the machine do not matter: a small program starts without
/// asking for them.
private let smallHeap = 1024

/// Reads what the machine says of huge pages, once, and of memory, now and then. The lock of growth
/// is held.
private func readMachine() {
    if !arena.hugePages.isDecided { arena.hugePages.decide(percolate_is_restricted() != 0) }
    refreshGroupLimit()
}

/// The same before the process restricts its system calls, or has a block whose size depends on it.
func readMachineEarly() {
    guard growthLock.acquire() == .entered else { return }
    readMachine()
    growthLock.release()
}

/// Reads the limit of the group now and then while nothing grows. Safe to call at every tick of the
/// scavenger.
func refreshLimits() {
    guard arena.committed > smallHeap, growthLock.acquire() == .entered else { return }
    refreshGroupLimit()
    growthLock.release()
}

/// Makes room for a run of `count` pages, and for records of spans.
func growArena(_ count: Int) -> Supply<Void> {
    guard growthLock.acquire() == .entered else { return .refused }
    defer { growthLock.release() }
    if arena.committed &+ count > smallHeap { readMachine() }
    guard arenaLock.acquire() == .entered else { return .refused }
    let hasRun = arena.tree.find(count) != nil
    let growth = Growth(of: count, in: arena)
    arenaLock.release()
    guard spans.commitRecords(forPages: arena.committed) || makeRoomForRecords() else { return .noMemory }
    if hasRun { return .given(()) }
    let pages = growth.run { end in
        arena.commitMetadata(pages: end) && spans.grow(toPages: end)
            && arenaState.pointee.pageClasses.commit(UInt(end)) && marks.grow(toPages: end)
    }
    guard let pages else { return .noMemory }
    guard arenaLock.acquire() == .entered else { return .refused }
    arena.grow(by: pages)
    publishPages()
    arenaLock.release()
    return .given(())
}

/// Free pages that make room for records of spans: for 32 MiB of small blocks.
private let pagesForRecords = 48

/// Where a limit on data (RLIMIT_DATA) is used up, and pages are free that lack records: some of
/// them leave the arena. The lock of growth is held.
private func makeRoomForRecords() -> Bool {
    guard arena.backing == .reserved, spans.mayHaveMoreRecords, percolate_is_restricted() == 0 else { return false }
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    guard percolate_getrlimit(Int32(RLIMIT_DATA.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int.max) else {
        return false
    }
    return retireFreePages(pagesForRecords) && spans.commitRecords(forPages: arena.committed)
}

/// Tells the fast path how many pages it may look up: their entries exist. The arena's lock is
/// held.
private func publishPages() {
    arenaState.pointee.publishedPages = arena.committed
    // A limit of 0 says that the fast path is off: start-up or vfork, which also hold this lock to
    // change it, turn it on.
    if front.limit_marked != 0 { front.pages_marked = UInt64(arena.committed) }
    if front.limit_marked_mm_cid != 0 { front.pages_marked_mm_cid = UInt64(arena.committed) }
    if front.limit | front.limit_sampled != 0 { front.pages = UInt64(arena.committed) }
    if front.limit_mm_cid | front.limit_sampled_mm_cid != 0 {
        front.pages_mm_cid = UInt64(arena.committed)
    }
}

/// Makes the arena and the spans whole after a thread was lost in them. The lock is held.
///
/// The records of spans are the truth, each by one store to its kind: a large block that was on its
/// way in or out is lost or free as a whole.
func repairArena() {
    spans.rebuild()
    arenaState.pointee.spansInUse = 0
    arenaState.pointee.largePages = 0
    arenaState.pointee.firstHole = 0
    for id in spans.recordNumbers {
        let record = spans[id].pointee
        guard record.kind != .unused else { continue }
        arenaState.pointee.spansInUse &+= 1
        if record.kind == .hole { addHole(id) }
        guard record.kind == .large else { continue }
        arenaState.pointee.largePages &+= Int(record.pages)
        // A block between guard pages has taken its span's entry away: nobody shall find the block
        // by a guard page.
        let first = Int(record.firstPage)..<(Int(record.firstPage) &+ 1)
        if spans.span(of: first.lowerBound) == 0 {
            spans[id].pointee.hidesEntry = true
            spans.setSpan(id, of: first)
        }
    }
    arena.repair(spans)
    // A thread that grew the arena may have been lost before it said so. The entries of its pages
    // exist.
    publishPages()
    for id in spans.recordNumbers where spans[id].pointee.kind == .large && spans[id].pointee.hidesEntry {
        let first = Int(spans[id].pointee.firstPage)
        spans.setSpan(0, of: first..<(first &+ 1))
        spans[id].pointee.hidesEntry = false
    }
    clearStalePageClasses()
}

/// Pages of no span have no size class.
private func clearStalePageClasses() {
    let entries = Table<UInt8>(address: arenaState.pointee.pageClasses.address)
    for page in 0..<publishedPages where entries[page].pointee != 0 {
        let id = spans.span(of: page)
        if id == 0 || spans[id].pointee.kind != .small { entries[page].pointee = 0 }
    }
}

/// Gives up the addresses that are reserved and not used, so that the process can live with a limit
/// on them (RLIMIT_AS, or RLIMIT_MEMLOCK and mlockall(2)). The window goes on in pieces of what the
/// limit leaves.
///
/// - Parameter bytes: the limit. Twice as many addresses may be used, to go around what is in the
///   way.
func giveUpReservation(limit bytes: UInt) {
    guard growthLock.acquire() == .entered else { return }
    defer { growthLock.release() }
    guard arenaLock.acquire() == .entered else { return }
    defer { arenaLock.release() }
    guard arena.backing == .reserved else { return }
    let wanted = roundUp(bytes &>> UInt(PERCOLATE_PAGE_SHIFT) &* 2, UInt(Chunk.pages))
    let end = Int(roundUp(UInt(arena.committed), UInt(Chunk.pages)))
    let kept = min(max(Int(min(wanted, UInt(arena.limit))), end), arena.limit)
    let unused = arena.address(arena.committed)
    let bytes = (arena.limit &- arena.committed) &<< Int(PERCOLATE_PAGE_SHIFT)
    if bytes > 0 { _ = percolate_munmap(unused, bytes) }
    arena.giveUpReservation(keeping: kept)
    spans.truncate(toPages: kept)
    arenaState.pointee.pageClasses.truncate(to: UInt(kept))
}
