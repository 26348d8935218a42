import CPercolate

/// Batches out of the central lists, and of new spans.
extension Middle {
    /// Takes `count` blocks, or fewer, of those at rest and of partly used spans, to the addresses
    /// in front of `end`; the lowest address is the last.
    static func takePartial(
        _ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>, cpu: Int
    ) -> Supply<Int> {
        take(sizeClass, count, before: end, shard: shard(sizeClass, ofCPU: cpu))
    }

    private static func take(
        _ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>, shard: Int
    ) -> Supply<Int> {
        let list = list(sizeClass, shard)
        let lock = lock(list)
        guard lock.acquire() == .entered else { return .refused }
        let taken = list.pointee.take(count, before: end, sizeClasses[sizeClass].pointee)
        lock.release()
        return taken > 0 ? .given(taken) : .noMemory
    }

    /// Free blocks of a shard that its CPU may keep for itself.
    private static var surplus: Int { 1024 }

    /// The same of the spans of a CPU that has many free blocks of a class of small blocks: whole
    /// lines count less than memory. The number is read without the lock: it is a hint.
    static func takeSurplus(_ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>) -> Supply<Int> {
        guard sharesLines(sizeClass) else { return .noMemory }
        for shard in 0..<shardCount(sizeClass) where list(sizeClass, shard).pointee.freeBlocks > surplus {
            return take(sizeClass, count, before: end, shard: shard)
        }
        return .noMemory
    }

    /// The same of new spans. `growing` lets the arena ask the kernel for more pages.
    static func takeFresh(
        _ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>, cpu: Int, growing: Bool
    ) -> Supply<Int> {
        takeFresh(sizeClass, count, before: end, shard: shard(sizeClass, ofCPU: cpu), growing: growing)
    }

    private static func takeFresh(
        _ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>, shard: Int, growing: Bool
    ) -> Supply<Int> {
        let info = sizeClasses[sizeClass].pointee
        let request = SpanRequest(
            pages: Int(info.spanPages), most: (count &+ Int(info.spanBlocks) &- 1) / Int(info.spanBlocks),
            kind: .small, sizeClass: sizeClass, blockSize: Int(info.size), isGrowing: growing,
            isPublished: shard != sampledShard)
        let made: FreshSpan
        switch allocateSpan(request) {
        case .given(let span): made = span
        case .noMemory: return .noMemory
        case .refused: return .refused
        }
        holdChain(made.id)
        var id = made.id
        while id != 0 {
            spans[id].pointee.shard = UInt8(truncatingIfNeeded: shard)
            id = spans[id].pointee.next
        }
        let list = list(sizeClass, shard)
        let lock = lock(list)
        guard lock.acquire() == .entered else {
            freeEmpty(made.id)
            return .refused
        }
        // Others may have filled the list meanwhile. Then spans go back: in the list they would
        // stay empty for as long as fuller spans serve.
        var taken = list.pointee.take(count, before: end, info)
        id = made.id
        while id != 0, taken < count {
            let next = spans[id].pointee.next
            holdChain(next)
            list.pointee.add(id, info)
            taken &+= list.pointee.take(count &- taken, before: end - taken, info)
            id = next
        }
        lock.release()
        freeEmpty(id)
        return .given(taken)
    }

    /// The same of the spans of all shards: when there is no other memory.
    static func takeAnywhere(_ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>) -> Supply<Int> {
        for shard in 0..<shardCount(sizeClass) {
            let supply = take(sizeClass, count, before: end, shard: shard)
            guard case .noMemory = supply else { return supply }
        }
        return .noMemory
    }

    /// One block, of whatever source. For calls that go around the caches.
    static func allocateOne(_ sizeClass: Int, cpu: Int) -> Supply<UInt> {
        var block: UInt64 = 0
        let supply: Supply<Int> = withUnsafeMutablePointer(to: &block) { cell in
            let partial = takePartial(sizeClass, 1, before: cell + 1, cpu: cpu)
            guard case .noMemory = partial else { return partial }
            let fresh = takeFresh(sizeClass, 1, before: cell + 1, cpu: cpu, growing: true)
            guard case .noMemory = fresh else { return fresh }
            return takeAnywhere(sizeClass, 1, before: cell + 1)
        }
        return supply.map { _ in UInt(block) }
    }

    /// One block for a sample; 0 when there is none to be had now.
    static func allocateSampled(_ sizeClass: Int) -> UInt {
        var block: UInt64 = 0
        withUnsafeMutablePointer(to: &block) { cell in
            guard case .noMemory = take(sizeClass, 1, before: cell + 1, shard: sampledShard) else { return }
            _ = takeFresh(sizeClass, 1, before: cell + 1, shard: sampledShard, growing: true)
        }
        return UInt(block)
    }
}
