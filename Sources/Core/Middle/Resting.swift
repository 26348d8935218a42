import CPercolate

/// Batches between caches and spans (`TransferCache`): how they come to rest, and how they end it.
extension Middle {
    /// Whether batches may rest.
    @inline(__always)
    private static var mayRest: Bool { !state.pointee.isRestOver }

    /// Takes a batch of one class from a cache: to rest, or to its spans.
    static func giveBatch(_ sizeClass: Int, _ blocks: UnsafePointer<UInt64>, _ count: Int) {
        guard count > 1, let shard = home(sizeClass, blocks, count) else {
            return free(sizeClass, blocks, count)
        }
        let list = list(sizeClass, shard)
        let info = sizeClasses[sizeClass].pointee
        // Read without the lock: a hint.
        if !list.pointee.transfer.hasMemory, list.pointee.hasRoom(for: count, info) { addMemory(to: list) }
        guard list.pointee.transfer.hasMemory, mayRest else { return free(sizeClass, blocks, count) }
        var isResting = false
        withBatch { excess in
            guard lock(list).acquire() == .entered else { return }
            let taken = list.pointee.takeExcess(MoveVector.limit, before: excess + MoveVector.limit, info)
            isResting = taken == 0 && mayRest && list.pointee.rest(blocks, count, info)
            lock(list).release()
            if taken > 0 { free(sizeClass, excess + (MoveVector.limit &- taken), taken) }
        }
        if !isResting { free(sizeClass, blocks, count) }
    }

    /// The shard that all blocks of a batch belong to; nil where they are of several. One shard
    /// needs no look at a span.
    private static func home(_ sizeClass: Int, _ blocks: UnsafePointer<UInt64>, _ count: Int) -> Int? {
        guard shardCount(sizeClass) > 1 else { return 0 }
        var shard: Int?
        var last: SpanID = 0
        for position in 0..<count {
            let id = spans.span(of: page(of: UInt(blocks[position])))
            if id != 0, id == last { continue }
            guard id != 0, Int(spans[id].pointee.sizeClass) == sizeClass else { return nil }
            let own = Int(spans[id].pointee.shard)
            guard own == shard ?? own else { return nil }
            shard = own
            last = id
        }
        return shard
    }

    private static func addMemory(to list: UnsafeMutablePointer<CentralList>) {
        guard let part = TransferMemory.makePart(lists: listCount), lock(list).acquire() == .entered else { return }
        list.pointee.transfer.use(part: part)
        lock(list).release()
    }

    /// Gives what rests to its spans. Returns the number of blocks.
    static func endRest() -> Int {
        var sum = 0
        for position in 0..<listCount { sum &+= endRest(position, of: .max) }
        return sum
    }

    /// The same for good: from here on no batch comes to rest. A thread that read the old value has
    /// the lock of a list, and is done once that lock can be taken.
    static func endRestForGood() {
        state.pointee.isRestOver = true
        for position in 0..<listCount where lock(lists[position]).acquire() == .entered {
            lock(lists[position]).release()
        }
        _ = endRest()
    }

    /// A tick of the scavenger: gives as many blocks to their spans as nobody needed since the last
    /// one. Whether any did, or still rest.
    static func endIdleRest() -> Bool {
        var isResting = false
        for position in 0..<listCount where lists[position].pointee.transfer.count > 0 {
            isResting = true
            _ = endRest(position, of: Int(lists[position].pointee.transfer.lowest))
            guard lock(lists[position]).acquire() == .entered else { continue }
            lists[position].pointee.transfer.beginPeriod()
            lock(lists[position]).release()
        }
        return isResting
    }

    /// Gives up to `most` of the blocks that rest in a list to their spans. Returns the number of
    /// blocks.
    private static func endRest(_ position: Int, of most: Int) -> Int {
        guard let (sizeClass, _) = classAndShard(ofList: position) else { return 0 }
        let list = lists[position]
        var sum = 0
        withBatch { batch in
            while sum < most, list.pointee.transfer.count > 0, lock(list).acquire() == .entered {
                let taken = list.pointee.takeResting(
                    min(most &- sum, MoveVector.limit), before: batch + MoveVector.limit)
                lock(list).release()
                free(sizeClass, batch + (MoveVector.limit &- taken), taken)
                sum &+= taken
            }
        }
        return sum
    }
}
