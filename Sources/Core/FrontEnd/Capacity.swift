import CPercolate
import Synchronization

/// How the classes of a CPU share its budget: capacity follows misses.
///
/// A miss (an empty cache at allocation, a full one at deallocation) doubles the class's capacity, up to the class's maximum and
/// within the CPU's budget of bytes. Beyond two batches it does so only when the miss before was of the other kind: a program that
/// only allocates, or only frees, meets each block once, and a larger cache would not spare it a miss. When the budget is spent,
/// each miss moves a hand on by some of the classes, and the first of them that had no miss since it came by last is halved: so a
/// miss costs the same however many classes are busy. Every change is a vector: {compare the header; copy the pointers to the new
/// region; store the header}.
extension FrontEnd {
    /// Capacity of a class that has none yet: blocks worth at most a page, at most 8, at least 2.
    private static func firstCapacity(_ size: Int) -> Int { min(8, max(2, 4096 / size)) }

    /// Misses before a cache without capacity keeps foreign blocks: fewer go back to where their neighbours are.
    private static var foreignMisses: UInt8 { 8 }

    /// Misses before a cache without capacity gets some for allocations alone. So the first block of a class that a CPU
    /// frees, and each further one that meets a full cache, takes the slow path, which looks up whether it is a block.
    private static var firstMisses: UInt8 { 8 }

    /// Raises the capacity of a class after a miss. Never waits; does nothing where somebody else is at the caches.
    ///
    /// - Parameter isForeign: whether the miss is a freed block that had better not be allocated again here: its neighbours on the
    ///   cache line are another CPU's. A CPU that allocates nothing of the class and frees much of it gets its cache all the same.
    /// - Parameter isAllocation: whether the miss is an empty cache.
    /// - Returns: the capacity afterwards.
    static func grow(
        _ sizeClass: Int, _ index: Int, _ seen: ClassHeader, _ now: UInt64, isForeign: Bool = false,
        isAllocation: Bool = false
    ) -> Int {
        let info = sizeClasses[sizeClass].pointee
        let size = Int(info.size)
        guard seen.capacity < Int(info.maxCapacity) else { return seen.capacity }
        let gate = gate(index)
        guard gate.lock.tryAcquire() else { return seen.capacity }
        let cache = caches[index]
        let slab = Slab(address: cache.pointee.slab)
        guard slab.address != 0, mode == .locked || gate.value == slab.address else {
            gate.lock.release()
            return seen.capacity
        }
        // Under the lock capacities do not change: only now the header says what is to be paid for.
        let header = slab.header(sizeClass)
        let capacity = header.capacity
        if cache.pointee.misses[sizeClass] < 255 { cache.pointee.misses[sizeClass] &+= 1 }
        if isForeign, capacity == 0, cache.pointee.misses[sizeClass] < foreignMisses {
            gate.lock.release()
            return 0
        }
        if isAllocation, capacity == 0, cache.pointee.misses[sizeClass] < firstMisses {
            gate.lock.release()
            return 0
        }
        let isAlternation = cache.pointee.noteMiss(sizeClass, isEmpty: header.count == 0)
        guard isAlternation || capacity < 2 &* Int(info.batch) else {
            gate.lock.release()
            return capacity
        }
        let wanted = min(max(capacity &* 2, firstCapacity(size)), Int(info.maxCapacity))
        let bytes = UInt(max(wanted &- capacity, 0) &* size)
        if cache.pointee.capacityBytes &+ bytes > max(cache.pointee.budget, largeHeapBudget) {
            gate.lock.release()
            makeRoom(bytes, index, besides: sizeClass)
            return capacity
        }
        let outcome = resize(sizeClass, index, slab, header, to: wanted)
        if outcome == .resized { cache.pointee.capacityBytes &+= bytes }
        let mayEmpty = outcome == .noWords && now &- cache.pointee.lastEmptied > stealInterval
        if mayEmpty { cache.pointee.lastEmptied = now }
        gate.lock.release()
        // Regions of other powers of two do not join: only an empty slab can be divided anew.
        if mayEmpty { _ = drainCache(index) }
        return outcome == .resized ? wanted : capacity
    }

    /// What a CPU may hold in a large heap, whatever its budget: together the caches may hold a sixteenth of the pages in use. The
    /// number of pages is read without the arena's lock: it is a hint.
    private static var largeHeapBudget: UInt {
        guard state.pointee.mayExceedBudget else { return 0 }
        let pages = UInt(arena.inUse) / 16 / UInt(state.pointee.slabCount.load(ordering: .relaxed))
        return min(pages &<< UInt(PERCOLATE_PAGE_SHIFT), largestBudget)
    }

    static var largestBudget: UInt { 4 << 20 }

    private enum Resizing { case resized, noWords, refused }

    /// Gives a class `wanted` words, in its region or in a larger one. The cache's lock is held.
    private static func resize(
        _ sizeClass: Int, _ index: Int, _ slab: Slab, _ header: ClassHeader, to wanted: Int
    ) -> Resizing {
        guard header.capacity < wanted else { return .refused }
        let cache = caches[index]
        let old = Int(cache.pointee.regionPowers[sizeClass])
        let isInPlace = old > 0 && wanted <= 1 &<< (old &- 1)
        let power = isInPlace ? old &- 1 : SlabRegions.power(wanted)
        var region = header.begin
        if !isInPlace {
            guard let fresh = cache.pointee.regions.allocate(power: power, in: slab, memory: &cache.pointee.memory)
            else { return .noWords }
            region = fresh
        }
        let after = ClassHeader(
            current: region &+ header.count, begin: region, end: region &+ wanted,
            countdown: header.countdown)
        let vector = MoveVector(
            gate: gate(index), open: slab.address, header: slab.headerWord(sizeClass), expected: header.word,
            replacement: after.word, target: slab.words + region, source: slab.words + header.begin,
            count: isInPlace ? 0 : header.count)
        guard case .done = vector.runHoldingLock(sequences, gatesOpen: mode == .sections) else {
            if !isInPlace { cache.pointee.regions.give(region, power: power, in: slab) }
            return .refused
        }
        if !isInPlace, old > 0 { cache.pointee.regions.give(header.begin, power: old &- 1, in: slab) }
        cache.pointee.regionPowers[sizeClass] = UInt8(power &+ 1)
        tally(.capacityChanges, at: index)
        return .resized
    }

    /// Works towards budget for `bytes` more: takes budget from idle CPUs, or capacity from a class without misses. What the class
    /// held goes to the middle tier after the lock is given back.
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

    /// Halves the capacity of the next class that the hand finds unused. Nil when there is none near or the cache is busy.
    private static func shrinkOne(
        _ index: Int, besides sizeClass: Int, into buffer: UnsafeMutablePointer<UInt64>
    ) -> (victim: Int, count: Int)? {
        let gate = gate(index)
        guard gate.lock.tryAcquire() else { return nil }
        defer { gate.lock.release() }
        let cache = caches[index]
        let slab = Slab(address: cache.pointee.slab)
        guard mode == .locked || gate.value == slab.address else { return nil }
        for _ in 0..<handSteps {
            cache.pointee.hand = cache.pointee.hand &+ 1 < SizeClass.count ? cache.pointee.hand &+ 1 : 1
            let victim = cache.pointee.hand
            let header = slab.header(victim)
            let misses = cache.pointee.misses[victim]
            cache.pointee.misses[victim] = misses / 2
            guard victim != sizeClass, header.capacity > 0, misses == 0 else { continue }
            let lowest = max(header.begin &+ header.capacity / 2, header.current &- MoveVector.limit)
            let after = ClassHeader(
                current: min(header.current, lowest), begin: header.begin, end: lowest,
                countdown: header.countdown)
            let count = header.current &- after.current
            let vector = MoveVector(
                gate: gate, open: slab.address, header: slab.headerWord(victim), expected: header.word,
                replacement: after.word, target: buffer, source: slab.words + after.current, count: count)
            guard case .done = vector.runHoldingLock(sequences, gatesOpen: mode == .sections) else { return nil }
            let freed = UInt((header.end &- lowest) &* Int(sizeClasses[victim].pointee.size))
            cache.pointee.capacityBytes &-= freed
            tally(.capacityChanges, at: index)
            return (victim, count)
        }
        return nil
    }
}
