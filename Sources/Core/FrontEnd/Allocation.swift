import CPercolate

/// Allocation when the fast path could not: the cache was empty, its gate closed, or the section
/// aborted.
extension FrontEnd {
    /// Times that a thread may move between CPUs, or lose a race on one, before it goes around the
    /// caches. One number for allocating, freeing and putting back: in all three a failed attempt
    /// costs one more look at the header, and the way around takes locks that other CPUs want.
    /// Eight moves, each between two instructions, are not chance any more.
    static var attempts: Int { 8 }

    /// A block of `sizeClass`.
    static func allocate(_ sizeClass: Int) -> Supply<UInt> {
        var cpu = 0
        for _ in 0..<attempts {
            guard let cached = CachedClass.ofThisCPU(sizeClass, cpu: &cpu) else { break }
            guard cached.header.count > 0 else { return refill(cached) }
            var block: UInt64 = 0
            let outcome = withUnsafeMutablePointer(to: &block) { cached.pop(1, into: $0) }
            if outcome == .done { return .given(UInt(block)) }
            if outcome == .closed { break }
        }
        tally(.directAllocations, at: cpu)
        return Middle.allocateOne(sizeClass, cpu: cpu)
    }

    /// The cache is empty: takes a batch from below, keeps one block and puts the others into the
    /// cache.
    private static func refill(_ cached: CachedClass) -> Supply<UInt> {
        let now = percolate_milliseconds()
        touch(cached.index, now)
        let capacity = grow(cached, now, isAllocation: true)
        let wanted = min(Int(sizeClasses[cached.sizeClass].pointee.batch), max(1, capacity / 2))
        return withBatch { start in
            let end = start + MoveVector.limit
            let supply = supply(cached.sizeClass, wanted, before: end, cached.index, now)
            return supply.map { count in
                tally(.refills, at: cached.index)
                tally(.refilledObjects, count, at: cached.index)
                announceRefill(count, ofSize: cached.blockSize, at: cached.index)
                if Hardening.isBasic {
                    for block in (end - count)..<end {
                        marks.set(UInt(block.pointee), cached.sizeClass, Marks.free)
                    }
                }
                if count > 1 { put(cached.sizeClass, end - count, count &- 1) }
                return UInt(end[-1])
            }
        }
    }

    /// A batch from below, in this order: batches that rest, partly used spans, spans of other CPUs
    /// that have plenty, free pages, what idle CPUs hold, and only then the kernel.
    private static func supply(
        _ sizeClass: Int, _ wanted: Int, before end: UnsafeMutablePointer<UInt64>, _ index: Int, _ now: UInt64
    ) -> Supply<Int> {
        var supply = Middle.takePartial(sizeClass, wanted, before: end, cpu: index)
        guard case .noMemory = supply else { return supply }
        supply = Middle.takeSurplus(sizeClass, wanted, before: end)
        guard case .noMemory = supply else { return supply }
        supply = Middle.takeFresh(sizeClass, wanted, before: end, cpu: index, growing: false)
        guard case .noMemory = supply else { return supply }
        if stealFromIdle(index, now) {
            supply = Middle.takePartial(sizeClass, wanted, before: end, cpu: index)
            guard case .noMemory = supply else { return supply }
        }
        supply = Middle.takeFresh(sizeClass, wanted, before: end, cpu: index, growing: true)
        guard case .noMemory = supply else { return supply }
        // The kernel has no more. What other CPUs cache, and what lies in other shards, may still
        // serve.
        if drainAll(except: index) > 0 {
            supply = Middle.takeFresh(sizeClass, wanted, before: end, cpu: index, growing: false)
            guard case .noMemory = supply else { return supply }
        }
        return Middle.takeAnywhere(sizeClass, wanted, before: end)
    }

    /// Puts `count` blocks into the cache of the CPU that the thread is on by now; what finds no
    /// room goes back down.
    private static func put(_ sizeClass: Int, _ blocks: UnsafeMutablePointer<UInt64>, _ count: Int) {
        var left = count
        var cpu = 0
        for _ in 0..<attempts where left > 0 {
            guard let cached = CachedClass.ofThisCPU(sizeClass, cpu: &cpu) else { break }
            let part = min(left, cached.header.room)
            guard part > 0 else { break }
            // The top of the stack is handed out next: it gets the lowest addresses, which come
            // last.
            let outcome = cached.push(part, from: blocks + (left &- part))
            if outcome == .done { left &-= part }
            if outcome == .closed { break }
        }
        if left > 0 { Middle.free(sizeClass, blocks, left) }
    }
}
