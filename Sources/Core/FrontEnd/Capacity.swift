import CPercolate
import Synchronization

/// How the classes of a CPU share its budget: capacity follows misses.
///
/// A miss (an empty cache at allocation, a full one at deallocation) doubles the class's capacity,
/// up to the class's maximum and within the CPU's budget of bytes. Beyond two batches it does so
/// only when the miss before was of the other kind: a program that only allocates, or only frees,
/// meets each block once, and a larger cache would not spare it a miss. When the budget is spent,
/// each miss moves a hand on by some of the classes, and the first of them that had no miss since
/// it came by last is halved: so a miss costs the same however many classes are busy. Every change
/// is a vector: {compare the header; copy the pointers to the new region; store the header}.
extension FrontEnd {
    /// Capacity of a class that has none yet: blocks worth at most a page, at most 8, at least 2.
    private static func firstCapacity(_ size: Int) -> Int { min(8, max(2, 4096 / size)) }

    /// Misses before a cache without capacity keeps foreign blocks. Until then they go back to
    /// where their neighbours are.
    private static var foreignMisses: UInt8 { 8 }

    /// Misses before a cache without capacity gets some for allocations alone. So the first block
    /// of a class that a CPU frees, and each further one that meets a full cache, takes the slow
    /// path, which looks up whether it is a block.
    private static var firstMisses: UInt8 { 8 }

    /// Raises the capacity of a class after a miss. Never waits; does nothing where somebody else
    /// is at the caches.
    ///
    /// - Parameter isForeign: whether the miss is a freed block that had better not be allocated
    ///   again here: its neighbours on the cache line are another CPU's. A CPU that allocates
    ///   nothing of the class and frees much of it gets its cache all the same.
    /// - Parameter isAllocation: whether the miss is an empty cache.
    /// - Returns: the capacity afterwards.
    static func grow(_ seen: CachedClass, _ now: UInt64, isForeign: Bool = false, isAllocation: Bool = false) -> Int {
        let info = sizeClasses[seen.sizeClass].pointee
        guard seen.header.capacity < Int(info.maxCapacity) else { return seen.header.capacity }
        let lock = gate(seen.index).lock
        guard lock.tryAcquire() else { return seen.header.capacity }
        // Only under the lock the header says what is to be paid for.
        guard let cached = seen.asOfNow() else {
            lock.release()
            return seen.header.capacity
        }
        let growth = grow(cached, info, now, missesFirst: isForeign ? foreignMisses : isAllocation ? firstMisses : 0)
        lock.release()
        switch growth {
        case .capacity(let capacity): return capacity
        case .overBudget(let bytes): makeRoom(bytes, seen.index, besides: seen.sizeClass)
        // Regions of other powers of two do not join: only an empty slab can be divided anew.
        case .outOfWords: _ = drainCache(seen.index)
        }
        return seen.header.capacity
    }

    private enum Growth {
        /// What the class has now.
        case capacity(Int)
        /// The CPU's budget lacks so many bytes.
        case overBudget(UInt)
        /// The slab has no words left, and was not emptied lately.
        case outOfWords
    }

    /// Grows a class of a cache whose lock the caller has.
    ///
    /// - Parameter missesFirst: misses before a class without capacity gets some.
    private static func grow(_ cached: CachedClass, _ info: SizeClass, _ now: UInt64, missesFirst: UInt8) -> Growth {
        let cache = caches[cached.index]
        let capacity = cached.header.capacity
        if cache.pointee.misses[cached.sizeClass] < 255 { cache.pointee.misses[cached.sizeClass] &+= 1 }
        if capacity == 0, cache.pointee.misses[cached.sizeClass] < missesFirst { return .capacity(0) }
        let isAlternation = cache.pointee.noteMiss(cached.sizeClass, isEmpty: cached.header.count == 0)
        guard isAlternation || capacity < 2 &* Int(info.batch) else { return .capacity(capacity) }
        let size = Int(info.size)
        let wanted = min(max(capacity &* 2, firstCapacity(size)), Int(info.maxCapacity))
        let bytes = UInt(max(wanted &- capacity, 0) &* size)
        guard cache.pointee.capacityBytes &+ bytes <= max(cache.pointee.budget, largeHeapBudget) else {
            return .overBudget(bytes)
        }
        switch cached.resize(to: wanted) {
        case .resized:
            cache.pointee.capacityBytes &+= bytes
            return .capacity(wanted)
        case .noWords:
            guard now &- cache.pointee.lastEmptied > stealInterval else { return .capacity(capacity) }
            cache.pointee.lastEmptied = now
            return .outOfWords
        case .refused: return .capacity(capacity)
        }
    }

    /// What a CPU may hold in a large heap, whatever its budget: together the caches may hold a
    /// sixteenth of the pages in use. The number of pages is read without the arena's lock: it is a
    /// hint.
    private static var largeHeapBudget: UInt {
        guard state.pointee.mayExceedBudget else { return 0 }
        let pages = UInt(arena.inUse) / 16 / UInt(state.pointee.slabCount.load(ordering: .relaxed))
        return min(pages &<< UInt(PERCOLATE_PAGE_SHIFT), largestBudget)
    }

    static var largestBudget: UInt { 4 << 20 }

    /// Works towards budget for `bytes` more: takes budget from idle CPUs, or capacity from a class
    /// without misses. What the class held goes to the middle tier after the lock is given back.
    private static func makeRoom(_ bytes: UInt, _ index: Int, besides sizeClass: Int) {
        if takeBudget(bytes, for: index) { return }
        withBatch { start in
            guard let (victim, count) = shrinkOne(index, besides: sizeClass, into: start), count > 0 else { return }
            announceDrain(count, ofSize: SizeClass.size(ofClass: victim), at: index)
            Middle.free(victim, start, count)
        }
    }

    /// Classes that the hand passes for one miss.
    private static var handSteps: Int { 8 }

    /// Halves the capacity of the next class that the hand finds unused. Nil when there is none
    /// near or the cache is busy.
    private static func shrinkOne(
        _ index: Int, besides sizeClass: Int, into buffer: UnsafeMutablePointer<UInt64>
    ) -> (victim: Int, count: Int)? {
        let lock = gate(index).lock
        guard lock.tryAcquire() else { return nil }
        defer { lock.release() }
        let cache = caches[index]
        guard let slab = usableSlab(index) else { return nil }
        for _ in 0..<handSteps {
            cache.pointee.hand = cache.pointee.hand &+ 1 < SizeClass.count ? cache.pointee.hand &+ 1 : 1
            let victim = CachedClass(cache.pointee.hand, at: index, in: slab)
            let misses = cache.pointee.misses[victim.sizeClass]
            cache.pointee.misses[victim.sizeClass] = misses / 2
            guard victim.sizeClass != sizeClass, victim.header.capacity > 0, misses == 0 else { continue }
            guard let lost = victim.shrink(into: buffer) else { return nil }
            cache.pointee.capacityBytes &-= lost.bytes
            return (victim.sizeClass, lost.blocks)
        }
        return nil
    }
}
