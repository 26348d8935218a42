import CPercolate

/// Deallocation when the fast path could not: the cache was full, its gate closed, the section aborted, or the block may be on the
/// stack already.
extension FrontEnd {
    /// Frees a block of `sizeClass`.
    static func free(_ address: UInt64, _ sizeClass: Int) {
        switch mode {
        case .sections: freeBySections(address, sizeClass)
        case .locked: freeUnderLock(address, sizeClass)
        case .hardened: direct(address, sizeClass)
        }
    }

    private static func direct(_ address: UInt64, _ sizeClass: Int, cpu: Int = 0) {
        tally(.directFrees, at: cpu)
        var block = address
        withUnsafePointer(to: &block) { Middle.free(sizeClass, $0, 1) }
    }

    private static func freeBySections(_ address: UInt64, _ sizeClass: Int) {
        for _ in 0..<8 {
            guard let index = currentIndex() else { return direct(address, sizeClass) }
            guard let slab = openSlab(index) else {
                guard caches[index].pointee.slab == 0, setUp(index) else {
                    return direct(address, sizeClass, cpu: index)
                }
                continue
            }
            let header = slab.header(sizeClass)
            refuseDoubleFree(address, sizeClass, slab, header)
            guard header.room > 0 else {
                let now = percolate_milliseconds()
                touch(index, now)
                let isForeign = header.capacity == 0 && Middle.isForeign(address, sizeClass, cpu: index)
                if grow(sizeClass, index, header, now, isForeign: isForeign) > header.capacity { continue }
                return drain(address, sizeClass, index, slab, header)
            }
            var block = address
            let outcome = withUnsafePointer(to: &block) { source in
                pushVector(1, sizeClass, index, slab, header, from: source).run(sequences)
            }
            switch outcome {
            case .done: return
            case .closed: return direct(address, sizeClass, cpu: index)
            case .differs, .elsewhere: continue
            }
        }
        direct(address, sizeClass)
    }

    /// Aborts when `address` is the block freed last. A block below `current` at any moment is free, so the test is exact although
    /// other threads may move the stack meanwhile.
    @inline(__always)
    private static func refuseDoubleFree(_ address: UInt64, _ sizeClass: Int, _ slab: Slab, _ header: ClassHeader) {
        guard header.count > 0 else { return }
        let word = UInt64(UInt(bitPattern: slab.words + (header.current &- 1)))
        guard percolate_operand_load(word, 8) == address else { return }
        // On a weakly ordered machine the header may be that of a push whose pointer is not to be
        // seen yet, and `address` what lay there before, when this thread was given it. The fence
        // brings every pointer that the header counts.
        if !Sequences.areStoresOrdered, mode == .sections {
            guard sequences.fenceAll(), percolate_operand_load(word, 8) == address else { return }
        }
        ProgrammerError.doubleFree.report(
            UInt(address), .block(Int(sizeClasses[sizeClass].pointee.size)))
    }

    /// The cache is full and may not grow: half of it goes down, together with the block.
    private static func drain(
        _ address: UInt64, _ sizeClass: Int, _ index: Int, _ slab: Slab, _ header: ClassHeader
    ) {
        withBatch { start in
            let part = min(MoveVector.limit &- 1, (header.count &+ 1) / 2)
            var count = 0
            if part > 0, case .done = pop(part, sizeClass, index, slab, header, into: start) {
                count = part
                tally(.drains, at: index)
                tally(.drainedObjects, part, at: index)
                announceDrain(part, ofSize: SizeClass.size(ofClass: sizeClass), at: index)
            }
            start[count] = address
            Middle.giveBatch(sizeClass, start, count &+ 1)
        }
    }

    private static func freeUnderLock(_ address: UInt64, _ sizeClass: Int) {
        guard let index = currentIndex() else { return direct(address, sizeClass) }
        let cache = caches[index]
        if cache.pointee.slab == 0 { guard setUp(index) else { return direct(address, sizeClass, cpu: index) } }
        let slab = Slab(address: cache.pointee.slab)
        let lock = gate(index).lock
        guard lock.acquire() == .entered else { return direct(address, sizeClass, cpu: index) }
        var header = slab.header(sizeClass)
        refuseDoubleFree(address, sizeClass, slab, header)
        if header.room == 0 {
            lock.release()
            _ = grow(sizeClass, index, header, percolate_milliseconds())
            guard lock.acquire() == .entered else { return direct(address, sizeClass, cpu: index) }
            header = slab.header(sizeClass)
        }
        if header.room > 0 {
            slab.words[header.current] = address
            header.current &+= 1
            slab.headerWord(sizeClass).pointee = header.word
            lock.release()
            return
        }
        withBatch { start in
            let part = min(MoveVector.limit &- 1, (header.count &+ 1) / 2)
            var count = 0
            if part > 0, case .done = popVector(part, sizeClass, index, slab, header, into: start).interpret() {
                count = part
            }
            lock.release()
            tally(.drains, at: index)
            tally(.drainedObjects, count, at: index)
            announceDrain(count, ofSize: SizeClass.size(ofClass: sizeClass), at: index)
            start[count] = address
            Middle.giveBatch(sizeClass, start, count &+ 1)
        }
    }
}
