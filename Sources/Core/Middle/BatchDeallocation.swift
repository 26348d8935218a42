import CPercolate

/// Batches back to the central lists.
extension Middle {
    /// Gives `count` blocks of one class back to their spans. What a signal handler cannot give
    /// back goes to the list of deferred frees.
    static func free(_ sizeClass: Int, _ blocks: UnsafePointer<UInt64>, _ count: Int) {
        var given = 0
        if tryFree(sizeClass, blocks, count, given: &given) { return }
        while given < count {
            Refusal.free(UInt(blocks[given]))
            given &+= 1
        }
    }

    /// The same as far as locks admit the calling thread. False when the calling thread is inside
    /// the list already; then blocks from `given` on were not taken.
    ///
    /// Blocks that were allocated one after the other lie in one span, and are often freed
    /// together: each run of blocks of one span costs one look at its record. Records are fetched
    /// before a lock is taken.
    static func tryFree(
        _ sizeClass: Int, _ blocks: UnsafePointer<UInt64>, _ count: Int, given: inout Int
    ) -> Bool {
        let info = sizeClasses[sizeClass].pointee
        var empty: SpanID = 0
        var held = -1
        prefetchRecords(blocks + given, count &- given)
        while given < count {
            let address = blocks[given]
            let id = spans.span(of: page(of: UInt(address)))
            let record = spans[id]
            guard id != 0, Int(record.pointee.sizeClass) == sizeClass else {
                let lock = held >= 0 ? lock(list(sizeClass, held)) : nil
                ProgrammerError.doubleFree.report(UInt(address), .block(Int(info.size)), releasing: lock)
            }
            let shard = Int(record.pointee.shard)
            if shard != held {
                if held >= 0 { lock(list(sizeClass, held)).release() }
                guard lock(list(sizeClass, shard)).acquire() == .entered else {
                    freeEmpty(empty)
                    return false
                }
                held = shard
            }
            let list = list(sizeClass, shard)
            var isEmpty = false
            given &+= list.pointee.give(
                blocks + given, count &- given, id, info, holding: lock(list), isEmpty: &isEmpty)
            if isEmpty {
                hold(id, before: empty)
                empty = id
            }
        }
        if held >= 0 { lock(list(sizeClass, held)).release() }
        freeEmpty(empty)
        return true
    }

    /// Whether a block of a class is in the middle tier, and so was freed or never handed out. No
    /// where the calling thread is inside the list already.
    static func isFree(_ address: UInt64, _ sizeClass: Int) -> Bool {
        let id = spans.span(of: page(of: UInt(address)))
        guard id != 0 else { return true }
        let list = list(sizeClass, Int(spans[id].pointee.shard))
        guard lock(list).acquire() == .entered else { return false }
        defer { lock(list).release() }
        return list.pointee.isFree(address, id, sizeClasses[sizeClass].pointee)
    }

    /// Fetches the records of the spans of `count` blocks: blocks freed at random each lie in a
    /// span of their own.
    @inline(__always)
    private static func prefetchRecords(_ blocks: UnsafePointer<UInt64>, _ count: Int) {
        var last: SpanID = 0
        for position in 0..<count {
            let id = spans.span(of: page(of: UInt(blocks[position])))
            guard id != last else { continue }
            percolate_prefetch(UInt(bitPattern: spans[id]))
            percolate_prefetch(UInt(bitPattern: spans.bits(id)))
            last = id
        }
    }
}
