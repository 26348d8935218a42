import CPercolate

/// The middle tier: batches of blocks between the caches of the CPUs and the spans.
enum Middle {
    struct State {
        /// Log2 of the number of shards of each class whose blocks fill cache lines.
        var shardBits: Int
        /// Log2 of the number of shards of each class whose blocks share cache lines.
        var homeBits: Int
        /// The lists: `shardCount` for each class.
        var lists: Table<CentralList>
        /// 1 more than the index that stands for all while the process has one thread; 0 until
        /// known.
        var onlyIndex: Int
        /// Whether no batch may come to rest: the process is fully hardened (`endRestForGood`).
        var isRestOver: Bool
    }

    @inline(__always)
    static var state: UnsafeMutablePointer<State> { pinned(&middleState.pointee.middle) }

    @inline(__always)
    static var shardBits: Int { state.pointee.shardBits }
    @inline(__always)
    static var homeBits: Int { state.pointee.homeBits }
    @inline(__always)
    static var lists: Table<CentralList> { state.pointee.lists }

    /// Classes below this number have blocks of less than a cache line: 8, 16, 32 and 48 bytes.
    static var firstOfWholeLines: Int { 5 }

    static var listCount: Int { sharedListCount &+ SizeClass.count }

    private static var sharedListCount: Int {
        firstOfWholeLines &<< homeBits &+ (SizeClass.count &- firstOfWholeLines) &<< shardBits
    }

    /// The shard of sampled blocks, of every class. Its spans' pages have page class 0, so that `free` and `realloc` leave the fast path for
    /// its blocks, and none of them enters a cache.
    static var sampledShard: Int { 255 }
    static var stride: Int { MemoryLayout<CentralList>.stride }

    /// Blocks of a cache line and more: one shard for every eight CPUs, at most eight; what 64 CPUs would contend on is divided,
    /// two CPUs pay nothing. Smaller ones: one shard for each CPU, at most 64; two CPUs that write to blocks of one line would
    /// take it from each other at every write.
    static func chooseShards(cpus: Int) {
        var shardBits = 0
        while shardBits < 3, cpus > 8 &<< shardBits { shardBits &+= 1 }
        var homeBits = 0
        while homeBits < 6, cpus > 1 &<< homeBits { homeBits &+= 1 }
        state.pointee.shardBits = shardBits
        state.pointee.homeBits = homeBits
    }

    @inline(__always)
    private static func sharesLines(_ sizeClass: Int) -> Bool { sizeClass < firstOfWholeLines }

    @inline(__always)
    static func shardCount(_ sizeClass: Int) -> Int { 1 &<< (sharesLines(sizeClass) ? homeBits : shardBits) }

    @inline(__always)
    static func list(_ sizeClass: Int, _ shard: Int) -> UnsafeMutablePointer<CentralList> {
        guard shard != sampledShard else { return lists[sharedListCount &+ sizeClass] }
        guard !sharesLines(sizeClass) else { return lists[sizeClass &<< homeBits &+ shard] }
        return lists[firstOfWholeLines &<< homeBits &+ (sizeClass &- firstOfWholeLines) &<< shardBits &+ shard]
    }

    /// The shard that a CPU allocates from. With one thread nobody can fight for a line, and one shard is denser.
    @inline(__always)
    private static func shard(_ sizeClass: Int, ofCPU cpu: Int) -> Int {
        guard sharesLines(sizeClass), percolate_is_single_threaded() != 0 else {
            return cpu & (shardCount(sizeClass) &- 1)
        }
        if state.pointee.onlyIndex == 0 { state.pointee.onlyIndex = cpu &+ 1 }
        return (state.pointee.onlyIndex &- 1) & (shardCount(sizeClass) &- 1)
    }

    /// Whether a block lies among blocks that another CPU allocates, on the same cache line as some of them.
    static func isForeign(_ address: UInt64, _ sizeClass: Int, cpu: Int) -> Bool {
        guard sharesLines(sizeClass) else { return false }
        let id = spans.span(of: page(of: UInt(address)))
        return id != 0 && Int(spans[id].pointee.shard) != shard(sizeClass, ofCPU: cpu)
    }

    /// The lock of a list is its first word.
    @inline(__always)
    static func lock(_ list: UnsafeMutablePointer<CentralList>) -> Lock { Lock(at: UInt(bitPattern: list)) }

    /// Makes a list whole after a thread was lost that had its lock. The caller has the lock.
    static func rebuild(_ position: Int) {
        guard let (sizeClass, shard) = classAndShard(ofList: position) else { return }
        lists[position].pointee.rebuild(sizeClass, shard: shard, sizeClasses[sizeClass].pointee)
    }

    /// What the list at `position` of the table is for; nil for those of no class.
    static func classAndShard(ofList position: Int) -> (sizeClass: Int, shard: Int)? {
        let sampled = position &- sharedListCount
        if sampled >= 0 { return sampled > 0 ? (sampled, sampledShard) : nil }
        let smaller = firstOfWholeLines &<< homeBits
        let isSmaller = position < smaller
        let offset = isSmaller ? position : position &- smaller
        let bits = isSmaller ? homeBits : shardBits
        let number = (isSmaller ? 0 : firstOfWholeLines) &+ offset &>> bits
        return number > 0 ? (number, offset & (1 &<< bits &- 1)) : nil
    }

    /// What an allocation came to.
    enum Supply {
        case blocks(Int)
        case noMemory
        /// A lock refused the calling thread: a signal handler that interrupted the allocator.
        case interrupted
    }

    /// Takes `count` blocks, or fewer, of those at rest and of partly used spans, to the addresses
    /// in front of `end`; the lowest address is the last.
    static func takePartial(
        _ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>, cpu: Int
    ) -> Supply {
        take(sizeClass, count, before: end, shard: shard(sizeClass, ofCPU: cpu))
    }

    private static func take(
        _ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>, shard: Int
    ) -> Supply {
        let list = list(sizeClass, shard)
        let lock = lock(list)
        guard lock.acquire() == .entered else { return .interrupted }
        let taken = list.pointee.take(count, before: end, sizeClasses[sizeClass].pointee)
        lock.release()
        return taken > 0 ? .blocks(taken) : .noMemory
    }

    /// Free blocks of a shard that its CPU may keep for itself.
    private static var surplus: Int { 1024 }

    /// The same of the spans of a CPU that has many free blocks of a class of small blocks: whole lines count less than
    /// memory. The number is read without the lock: it is a hint.
    static func takeSurplus(_ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>) -> Supply {
        guard sharesLines(sizeClass) else { return .noMemory }
        for shard in 0..<shardCount(sizeClass) where list(sizeClass, shard).pointee.freeBlocks > surplus {
            return take(sizeClass, count, before: end, shard: shard)
        }
        return .noMemory
    }

    /// The same of new spans. `growing` lets the arena ask the kernel for more pages.
    static func takeFresh(
        _ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>, cpu: Int, growing: Bool
    ) -> Supply {
        takeFresh(sizeClass, count, before: end, shard: shard(sizeClass, ofCPU: cpu), growing: growing)
    }

    private static func takeFresh(
        _ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>, shard: Int, growing: Bool
    ) -> Supply {
        let info = sizeClasses[sizeClass].pointee
        var interrupted = false
        let request = SpanRequest(
            pages: Int(info.spanPages), most: (count &+ Int(info.spanBlocks) &- 1) / Int(info.spanBlocks),
            kind: .small, sizeClass: sizeClass, blockSize: Int(info.size), isGrowing: growing,
            isPublished: shard != sampledShard)
        let made = allocateSpan(request, interrupted: &interrupted)
        guard let made else { return interrupted ? .interrupted : .noMemory }
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
            return .interrupted
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
        return .blocks(taken)
    }

    /// The same of the spans of all shards: when there is no other memory.
    static func takeAnywhere(_ sizeClass: Int, _ count: Int, before end: UnsafeMutablePointer<UInt64>) -> Supply {
        for shard in 0..<shardCount(sizeClass) {
            let supply = take(sizeClass, count, before: end, shard: shard)
            guard case .noMemory = supply else { return supply }
        }
        return .noMemory
    }

    /// One block, of whatever source. For calls that go around the caches.
    static func allocateOne(_ sizeClass: Int, cpu: Int) -> (address: UInt64, supply: Supply) {
        var block: UInt64 = 0
        let supply = withUnsafeMutablePointer(to: &block) { cell in
            let partial = takePartial(sizeClass, 1, before: cell + 1, cpu: cpu)
            guard case .noMemory = partial else { return partial }
            let fresh = takeFresh(sizeClass, 1, before: cell + 1, cpu: cpu, growing: true)
            guard case .noMemory = fresh else { return fresh }
            return takeAnywhere(sizeClass, 1, before: cell + 1)
        }
        return (block, supply)
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

    /// The class of the sampled blocks on the page, whose page class is 0; 0 where it holds none.
    @inline(__always)
    static func sampledClass(ofPage page: Int) -> Int {
        let id = spans.span(of: page)
        return id != 0 && spans[id].pointee.kind == .small ? Int(spans[id].pointee.sizeClass) : 0
    }

    /// Gives `count` blocks of one class back. False when the calling thread is inside the list already; then blocks from
    /// `given` on were not taken.
    ///
    /// Blocks that were allocated one after the other lie in one span, and are often freed
    /// together: each run of blocks of one span costs one look at its record. Records are fetched
    /// before a lock is taken.
    static func free(
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

    /// The same; what a signal handler cannot give back goes to the list of deferred frees.
    static func giveDown(_ sizeClass: Int, _ blocks: UnsafePointer<UInt64>, _ count: Int) {
        var given = 0
        if free(sizeClass, blocks, count, given: &given) { return }
        while given < count {
            DeferredFrees.add(UInt(blocks[given]))
            given &+= 1
        }
    }

    /// Whether a block of a class is in the middle tier, and so was freed or never handed out. No where the calling thread
    /// is inside the list already.
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

    /// Gives the chain of empty spans back to the arena.
    private static func freeEmpty(_ first: SpanID) {
        guard first != 0 else { return }
        guard arenaLock.acquire() == .entered else {
            holdChain(0)
            return DeferredSpans.add(first)
        }
        var id = first
        while id != 0 {
            let next = spans[id].pointee.next
            // What a jump loses is one span at most.
            if !Visit.isNested { percolate_this_thread().pointee.spans = next }
            let size = SizeClass.size(ofClass: Int(spans[id].pointee.sizeClass))
            freeSpanLocked(id, blockSize: size, before: next)
            id = next
        }
        unlockArenaAndRelease()
    }

    /// Notes that the calling thread has span `id` in hand, in front of the chain that it has already: where it is lost, `freeEmpty`
    /// gets the chain from its record (`Recovery`). Not in a signal handler: the record is the interrupted frame's.
    @inline(__always)
    private static func hold(_ id: SpanID, before next: SpanID) {
        spans[id].pointee.next = next
        holdChain(id)
    }

    /// The same of a chain of spans, 0 for none.
    @inline(__always)
    private static func holdChain(_ first: SpanID) {
        if !Visit.isNested { percolate_this_thread().pointee.spans = first }
    }

    /// Gives the spans back that a lost visit of the calling thread had in hand.
    static func freeHeld() {
        let held = percolate_this_thread().pointee.spans
        if held != 0, spans[held].pointee.kind == .small, !spans[held].pointee.isListed { freeEmpty(held) }
        holdChain(0)
    }

    /// Gives the spans back that signal handlers could not.
    static func freeDeferredSpans() {
        guard !DeferredSpans.isEmpty else { return }
        freeEmpty(DeferredSpans.takeAll())
    }

    /// The arena page of `address`, which is in the arena.
    @inline(__always)
    static func page(of address: UInt) -> Int { Int((address &- arena.base) &>> UInt(PERCOLATE_PAGE_SHIFT)) }
}
