import CPercolate

/// Allocation when the fast path could not: the cache was empty, its gate closed, or the section aborted.
extension FrontEnd {
    /// A block of `sizeClass`, and how the search for one ended.
    static func allocate(_ sizeClass: Int) -> (address: UInt64, supply: Middle.Supply) {
        switch mode {
        case .sections: allocateBySections(sizeClass)
        case .locked: allocateUnderLock(sizeClass)
        case .hardened: direct(sizeClass)
        }
    }

    /// Around the caches: the gate is closed, or the thread has no index.
    private static func direct(_ sizeClass: Int, cpu: Int = 0) -> (address: UInt64, supply: Middle.Supply) {
        tally(.directAllocations, at: cpu)
        return Middle.allocateOne(sizeClass, cpu: cpu)
    }

    private static func allocateBySections(_ sizeClass: Int) -> (address: UInt64, supply: Middle.Supply) {
        // A thread may move between CPUs, or lose a race on one, any number of times; after a few it goes around.
        for _ in 0..<8 {
            guard let index = currentIndex() else { return direct(sizeClass) }
            guard let slab = openSlab(index) else {
                // Closed is neither empty nor full: it is busy, or the CPU is new.
                guard caches[index].pointee.slab == 0, setUp(index) else { return direct(sizeClass, cpu: index) }
                continue
            }
            let header = slab.header(sizeClass)
            guard header.count > 0 else { return refill(sizeClass, index, header) }
            var block: UInt64 = 0
            let outcome = withUnsafeMutablePointer(to: &block) { target in
                pop(1, sizeClass, index, slab, header, into: target)
            }
            switch outcome {
            case .done: return (block, .blocks(1))
            case .closed: return direct(sizeClass, cpu: index)
            case .differs, .elsewhere: continue
            }
        }
        return direct(sizeClass)
    }

    /// Moves the top `count` blocks of a cache to `target`.
    static func pop(
        _ count: Int, _ sizeClass: Int, _ index: Int, _ slab: Slab, _ header: ClassHeader,
        into target: UnsafeMutablePointer<UInt64>
    ) -> MoveVector.Outcome {
        popVector(count, sizeClass, index, slab, header, into: target).run(sequences)
    }

    static func popVector(
        _ count: Int, _ sizeClass: Int, _ index: Int, _ slab: Slab, _ header: ClassHeader,
        into target: UnsafeMutablePointer<UInt64>
    ) -> MoveVector {
        var after = header
        after.current &-= count
        return MoveVector(
            gate: gate(index), open: slab.address, header: slab.headerWord(sizeClass), expected: header.word,
            replacement: after.word, target: target, source: slab.words + after.current, count: count)
    }

    /// Moves `count` blocks from `source` onto a cache that has room for them.
    static func pushVector(
        _ count: Int, _ sizeClass: Int, _ index: Int, _ slab: Slab, _ header: ClassHeader,
        from source: UnsafePointer<UInt64>
    ) -> MoveVector {
        var after = header
        after.current &+= count
        return MoveVector(
            gate: gate(index), open: slab.address, header: slab.headerWord(sizeClass), expected: header.word,
            replacement: after.word, target: slab.words + header.current, source: source, count: count)
    }

    /// The cache is empty: takes a batch from below, keeps one block and puts the others into the cache.
    ///
    /// In order: what rests, partly used spans, spans of other CPUs that have plenty, free pages,
    /// what idle CPUs hold, and only then the kernel.
    private static func refill(
        _ sizeClass: Int, _ index: Int, _ header: ClassHeader
    ) -> (address: UInt64, supply: Middle.Supply) {
        let now = percolate_milliseconds()
        touch(index, now)
        let capacity = grow(sizeClass, index, header, now, isAllocation: true)
        let wanted = min(Int(sizeClasses[sizeClass].pointee.batch), max(1, capacity / 2))
        return withBatch { start in
            let end = start + MoveVector.limit
            let supply = supply(sizeClass, wanted, before: end, index, now)
            guard case .blocks(let count) = supply else { return (0, supply) }
            tally(.refills, at: index)
            tally(.refilledObjects, count, at: index)
            announceRefill(count, ofSize: SizeClass.size(ofClass: sizeClass), at: index)
            if Hardening.isBasic { for block in (end - count)..<end { marks.set(UInt(block.pointee), Marks.free) } }
            if count > 1 {
                let rest = start + (MoveVector.limit &- count)
                if mode == .sections {
                    put(sizeClass, rest, count &- 1)
                } else {
                    putUnderLock(sizeClass, rest, count &- 1, index)
                }
            }
            return (end[-1], supply)
        }
    }

    private static func supply(
        _ sizeClass: Int, _ wanted: Int, before end: UnsafeMutablePointer<UInt64>, _ index: Int, _ now: UInt64
    ) -> Middle.Supply {
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
        // The kernel has no more. What other CPUs cache, and what lies in other shards, may still serve.
        if drainAll(except: index) > 0 {
            supply = Middle.takeFresh(sizeClass, wanted, before: end, cpu: index, growing: false)
            guard case .noMemory = supply else { return supply }
        }
        return Middle.takeAnywhere(sizeClass, wanted, before: end)
    }

    /// Puts `count` blocks into the cache of the CPU that the thread is on by now; what finds no room goes back down.
    private static func put(_ sizeClass: Int, _ blocks: UnsafeMutablePointer<UInt64>, _ count: Int) {
        var left = count
        for _ in 0..<4 {
            guard let index = currentIndex(), let slab = openSlab(index) else { break }
            let header = slab.header(sizeClass)
            let part = min(left, header.room)
            guard part > 0 else { break }
            // The top of the stack is handed out next: it gets the lowest addresses, which come last.
            let source = blocks + (left &- part)
            switch pushVector(part, sizeClass, index, slab, header, from: source).run(sequences) {
            case .done: left &-= part
            case .closed: return Middle.free(sizeClass, blocks, left)
            case .differs, .elsewhere: continue
            }
            if left == 0 { return }
        }
        Middle.free(sizeClass, blocks, left)
    }

    /// The same where the slab of `index` is used under its lock.
    private static func putUnderLock(
        _ sizeClass: Int, _ blocks: UnsafeMutablePointer<UInt64>, _ count: Int, _ index: Int
    ) {
        var left = count
        let lock = gate(index).lock
        if lock.acquire() == .entered {
            let slab = Slab(address: caches[index].pointee.slab)
            let header = slab.header(sizeClass)
            let part = min(left, header.room)
            if part > 0 {
                let vector = pushVector(part, sizeClass, index, slab, header, from: blocks + (left &- part))
                if case .done = vector.interpret() { left &-= part }
            }
            lock.release()
        }
        if left > 0 { Middle.free(sizeClass, blocks, left) }
    }

    /// Gives one block back past the caches.
    static func giveBack(_ block: UInt, _ sizeClass: Int) {
        var block = UInt64(block)
        withUnsafePointer(to: &block) { Middle.free(sizeClass, $0, 1) }
    }

    /// Without restartable sequences: the slab is used under its lock, and the lock is not held while the middle tier's is.
    private static func allocateUnderLock(_ sizeClass: Int) -> (address: UInt64, supply: Middle.Supply) {
        guard let index = currentIndex() else { return direct(sizeClass) }
        let cache = caches[index]
        if cache.pointee.slab == 0 { guard setUp(index) else { return direct(sizeClass, cpu: index) } }
        let slab = Slab(address: cache.pointee.slab)
        let lock = gate(index).lock
        guard lock.acquire() == .entered else { return direct(sizeClass, cpu: index) }
        var header = slab.header(sizeClass)
        if header.count > 0 {
            header.current &-= 1
            let block = slab.words[header.current]
            slab.headerWord(sizeClass).pointee = header.word
            lock.release()
            return (block, .blocks(1))
        }
        lock.release()
        return refill(sizeClass, index, header)
    }
}
