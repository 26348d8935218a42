/// Finds the lowest run of free pages: a tree of summaries above the chunks.
///
/// Level 0 has one summary a chunk; a node of the next level sums up eight nodes. Runs that cross
/// nodes are seen where they meet, so nothing is ever coalesced: freeing sets bits and the
/// summaries on the way up. Lowest first keeps the top of the arena free, to be released. Guarded
/// by the arena's lock.
///
/// A technique of address-ordered first fit over bitmaps, as in the page allocator of the Go
/// runtime.
struct FreeTree {
    static var fanOut: Int { 8 }
    static var maxLevels: Int { 9 }

    /// The chunks, behind the reservations of the levels.
    private var chunks = Reservation()
    /// The reservation of each level, for the whole window; committed as the arena grows. They lie
    /// in metadata themselves: a walk through the levels copies none.
    private var levels: Table<Reservation> { Table(address: chunks.address) }
    /// The level whose node 0 covers every chunk in use.
    private var top = 0
    private(set) var chunkCount = 0

    /// Bytes in front of the first chunk.
    private static var headerSize: UInt { 256 }

    /// Bytes of addresses that the tree of a window of `chunkCount` chunks needs.
    static func size(chunkCount: Int) -> UInt {
        var total = chunkSize(chunkCount)
        var nodes = chunkCount
        for _ in 0..<maxLevels {
            total &+= levelSize(nodes)
            nodes = (nodes &+ fanOut &- 1) / fanOut
        }
        return total
    }

    private static func chunkSize(_ count: Int) -> UInt {
        roundUp(headerSize &+ UInt(count &* Chunk.stride), Reservation.pageSize)
    }

    private static func levelSize(_ nodes: Int) -> UInt {
        roundUp(UInt((nodes &+ fanOut) &* MemoryLayout<FreeRuns>.stride), Reservation.pageSize)
    }

    /// Places the tree at `address`, in reserved memory of `size(chunkCount:)` bytes. False when
    /// the kernel refuses memory.
    mutating func place(at address: UInt, chunkCount: Int) -> Bool {
        chunks = Reservation(address: address, size: Self.chunkSize(chunkCount))
        guard chunks.commit(Self.headerSize, step: 4096) else { return false }
        var next = address &+ chunks.size
        var nodes = chunkCount
        for level in 0..<Self.maxLevels {
            levels[level].initialize(to: Reservation(address: next, size: Self.levelSize(nodes)))
            next &+= Self.levelSize(nodes)
            nodes = (nodes &+ Self.fanOut &- 1) / Self.fanOut
        }
        return true
    }

    /// Makes the metadata of the first `count` chunks usable. False when the kernel refuses.
    ///
    /// Only the growing thread calls it, without the arena's lock: what others read does not
    /// change.
    mutating func commit(chunks count: Int) -> Bool {
        guard count > chunkCount else { return true }
        guard chunks.commit(Self.headerSize &+ UInt(count &* Chunk.stride), step: 16384) else { return false }
        var nodes = count
        for level in 0..<Self.maxLevels {
            let padded = (nodes &+ Self.fanOut &- 1) / Self.fanOut &* Self.fanOut
            guard levels[level].pointee.commit(UInt(padded &* MemoryLayout<FreeRuns>.stride), step: 4096) else {
                return false
            }
            if nodes == 1 { break }
            nodes = (nodes &+ Self.fanOut &- 1) / Self.fanOut
        }
        return true
    }

    /// Takes the first `count` chunks, whose metadata is committed, into the tree.
    mutating func grow(toChunks count: Int) {
        guard count > chunkCount else { return }
        chunkCount = count
        var nodes = count
        var level = 0
        while nodes > 1 {
            nodes = (nodes &+ Self.fanOut &- 1) / Self.fanOut
            level &+= 1
        }
        // A new top sums up the old one: what lies behind it has no free pages yet.
        while top < level {
            top &+= 1
            _ = recompute(top, 0)
        }
    }

    /// Gives up what a window of `chunkCount` chunks does not need.
    mutating func truncate(toChunks chunkCount: Int) {
        chunks.truncate(to: Self.chunkSize(chunkCount))
        var nodes = chunkCount
        for level in 0..<Self.maxLevels {
            levels[level].pointee.truncate(to: Self.levelSize(nodes))
            nodes = (nodes &+ Self.fanOut &- 1) / Self.fanOut
        }
    }

    @inline(__always)
    func chunk(_ index: Int) -> Chunk {
        Chunk(pointer(chunks.address &+ Self.headerSize &+ UInt(index &* Chunk.stride)))
    }

    @inline(__always)
    private func node(_ level: Int, _ index: Int) -> UnsafeMutablePointer<FreeRuns> {
        Table<FreeRuns>(address: levels[level].pointee.address)[index]
    }

    /// Pages of the longest run of free pages in a chunk.
    @inline(__always)
    func longestRun(inChunk index: Int) -> Int { Int(node(0, index).pointee.longest) }

    /// Pages of the longest run in a chunk that may be released.
    @inline(__always)
    func releasableRun(inChunk index: Int) -> Int { Int(node(0, index).pointee.releasable) }

    private static func nodePages(_ level: Int) -> Int { Chunk.pages &<< (3 &* level) }

    /// Brings the summaries above `chunks` in line with their bits.
    func update(_ chunks: ClosedRange<Int>) {
        var changed = false
        for index in chunks {
            let runs = chunk(index).summary()
            changed = changed || node(0, index).pointee != runs
            node(0, index).pointee = runs
        }
        var low = chunks.lowerBound
        var high = chunks.upperBound
        var level = 0
        while changed, level < top {
            level &+= 1
            low /= Self.fanOut
            high /= Self.fanOut
            changed = false
            for index in low...high where recompute(level, index) { changed = true }
        }
    }

    /// Makes every summary anew from the chunks' bits, after a thread was lost in the tree.
    mutating func rebuild() {
        guard chunkCount > 0 else { return }
        for index in 0..<chunkCount { node(0, index).pointee = chunk(index).summary() }
        var nodes = chunkCount
        var level = 0
        while nodes > 1 {
            nodes = (nodes &+ Self.fanOut &- 1) / Self.fanOut
            level &+= 1
            for index in 0..<nodes { _ = recompute(level, index) }
        }
        top = level
    }

    /// Sums up the children of a node. Whether that changed it.
    private func recompute(_ level: Int, _ index: Int) -> Bool {
        var result = FreeRuns()
        let childPages = UInt32(truncatingIfNeeded: Self.nodePages(level &- 1))
        var run: UInt32 = 0
        var prefix = true
        for child in 0..<Self.fanOut {
            let runs = node(level &- 1, index &* Self.fanOut &+ child).pointee
            result.longest = max(result.longest, max(runs.longest, run &+ runs.start))
            result.releasable = max(result.releasable, runs.releasable)
            if runs.start == childPages {
                run &+= childPages
                continue
            }
            if prefix {
                result.start = run &+ runs.start
                prefix = false
            }
            run = runs.end
        }
        if prefix { result.start = run }
        result.longest = max(result.longest, run)
        result.end = run
        let changed = node(level, index).pointee != result
        node(level, index).pointee = result
        return changed
    }

    /// First page of the lowest run of `count` free pages; nil when there is none.
    func find(_ count: Int) -> Int? {
        guard chunkCount > 0, node(top, 0).pointee.longest >= UInt32(truncatingIfNeeded: count) else { return nil }
        var level = top
        var index = 0
        while level > 0 {
            let childPages = Self.nodePages(level &- 1)
            var run = 0
            var next: Int?
            for child in 0..<Self.fanOut {
                let childIndex = index &* Self.fanOut &+ child
                let runs = node(level &- 1, childIndex).pointee
                if run &+ Int(runs.start) >= count { return childIndex &* childPages &- run }
                if Int(runs.longest) >= count {
                    next = childIndex
                    break
                }
                run = Int(runs.start) == childPages ? run &+ childPages : Int(runs.end)
            }
            guard let found = next else { return nil }
            index = found
            level &-= 1
        }
        guard let page = chunk(index).firstFree(count) else { return nil }
        return index &* Chunk.pages &+ page
    }

    /// Whether some chunk has a run of `shortest` pages to release.
    func hasReleasable(_ shortest: Int) -> Bool { chunkCount > 0 && node(top, 0).pointee.releasable >= shortest }

    /// The last chunk that has a run of `shortest` pages to release; nil when none has. Costs the
    /// tree's height.
    func lastReleasableChunk(shortest: Int) -> Int? {
        guard hasReleasable(shortest) else { return nil }
        var index = 0
        var level = top
        while level > 0 {
            level &-= 1
            index = index &* Self.fanOut &+ Self.fanOut &- 1
            while node(level, index).pointee.releasable < shortest { index &-= 1 }
        }
        return index
    }

    /// Calls `body` with each chunk that `pages` touches and the part of the chunk that they are.
    @inline(__always)
    func forEachChunk(_ pages: Range<Int>, _ body: (Chunk, Range<Int>) -> Void) {
        var start = pages.lowerBound
        while start < pages.upperBound {
            let index = start / Chunk.pages
            let base = index &* Chunk.pages
            let end = min(pages.upperBound, base &+ Chunk.pages)
            body(chunk(index), (start &- base)..<(end &- base))
            start = end
        }
    }

    /// The chunks that `pages`, not empty, touch.
    static func chunks(of pages: Range<Int>) -> ClosedRange<Int> {
        (pages.lowerBound / Chunk.pages)...((pages.upperBound &- 1) / Chunk.pages)
    }

    var metadataBytes: UInt {
        guard chunks.address != 0 else { return 0 }
        var sum = chunks.committed
        for level in 0..<Self.maxLevels { sum &+= levels[level].pointee.committed }
        return sum
    }
}
