import CPercolate

/// Deallocation when the fast path could not: the cache was full, its gate closed, the section
/// aborted, or the block may be on the stack already.
extension FrontEnd {
    /// Frees a block of `sizeClass`.
    static func free(_ address: UInt64, _ sizeClass: Int) {
        var cpu = 0
        for _ in 0..<attempts {
            guard let cached = CachedClass.ofThisCPU(sizeClass, cpu: &cpu) else { break }
            cached.refuseDoubleFree(address)
            guard cached.header.room > 0 else {
                let now = percolate_milliseconds()
                touch(cached.index, now)
                let isForeign =
                    cached.header.capacity == 0 && Middle.isForeign(address, sizeClass, cpu: cached.index)
                if grow(cached, now, isForeign: isForeign) > cached.header.capacity { continue }
                return drain(cached, address)
            }
            var block = address
            let outcome = withUnsafePointer(to: &block) { cached.push(1, from: $0) }
            if outcome == .done { return }
            if outcome == .closed { break }
        }
        tally(.directFrees, at: cpu)
        freeAround(UInt(address), sizeClass)
    }

    /// Frees one block past the caches.
    static func freeAround(_ block: UInt, _ sizeClass: Int) {
        var block = UInt64(block)
        withUnsafePointer(to: &block) { Middle.free(sizeClass, $0, 1) }
    }

    /// The cache is full and may not grow: half of it goes down, together with the block.
    private static func drain(_ cached: CachedClass, _ address: UInt64) {
        withBatch { start in
            let part = min(MoveVector.limit &- 1, (cached.header.count &+ 1) / 2)
            var count = 0
            if part > 0, cached.pop(part, into: start) == .done {
                count = part
                tally(.drains, at: cached.index)
                tally(.drainedObjects, part, at: cached.index)
                announceDrain(part, ofSize: cached.blockSize, at: cached.index)
            }
            start[count] = address
            Middle.giveBatch(cached.sizeClass, start, count &+ 1)
        }
    }
}
