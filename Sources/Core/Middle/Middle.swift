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

    /// The shard of sampled blocks, of every class. Its spans' pages have page class 0, so that
    /// `free` and `realloc` leave the fast path for its blocks, and none of them enters a cache.
    static var sampledShard: Int { 255 }
    static var stride: Int { MemoryLayout<CentralList>.stride }

    /// Blocks of a cache line and more: one shard for every eight CPUs, at most eight; what 64 CPUs
    /// would contend on is divided, two CPUs pay nothing. Smaller ones: one shard for each CPU, at
    /// most 64; two CPUs that write to blocks of one line would take it from each other at every
    /// write.
    static func chooseShards(cpus: Int) {
        var shardBits = 0
        while shardBits < 3, cpus > 8 &<< shardBits { shardBits &+= 1 }
        var homeBits = 0
        while homeBits < 6, cpus > 1 &<< homeBits { homeBits &+= 1 }
        state.pointee.shardBits = shardBits
        state.pointee.homeBits = homeBits
    }

    @inline(__always)
    static func sharesLines(_ sizeClass: Int) -> Bool { sizeClass < firstOfWholeLines }

    @inline(__always)
    static func shardCount(_ sizeClass: Int) -> Int { 1 &<< (sharesLines(sizeClass) ? homeBits : shardBits) }

    @inline(__always)
    static func list(_ sizeClass: Int, _ shard: Int) -> UnsafeMutablePointer<CentralList> {
        guard shard != sampledShard else { return lists[sharedListCount &+ sizeClass] }
        guard !sharesLines(sizeClass) else { return lists[sizeClass &<< homeBits &+ shard] }
        return lists[firstOfWholeLines &<< homeBits &+ (sizeClass &- firstOfWholeLines) &<< shardBits &+ shard]
    }

    /// The shard that a CPU allocates from. With one thread nobody can fight for a line, and one
    /// shard is denser.
    @inline(__always)
    static func shard(_ sizeClass: Int, ofCPU cpu: Int) -> Int {
        guard sharesLines(sizeClass), percolate_is_single_threaded() != 0 else {
            return cpu & (shardCount(sizeClass) &- 1)
        }
        if state.pointee.onlyIndex == 0 { state.pointee.onlyIndex = cpu &+ 1 }
        return (state.pointee.onlyIndex &- 1) & (shardCount(sizeClass) &- 1)
    }

    /// Whether a block lies among blocks that another CPU allocates, on the same cache line as some
    /// of them.
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

    /// The class of the sampled blocks on the page, whose page class is 0; 0 where it holds none.
    @inline(__always)
    static func sampledClass(ofPage page: Int) -> Int {
        let id = spans.span(of: page)
        return id != 0 && spans[id].pointee.kind == .small ? Int(spans[id].pointee.sizeClass) : 0
    }

    /// The arena page of `address`, which is in the arena.
    @inline(__always)
    static func page(of address: UInt) -> Int { Int((address &- arena.base) &>> UInt(PERCOLATE_PAGE_SHIFT)) }
}
