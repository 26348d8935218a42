import CPercolate

/// The pages of one window of addresses: which are free, which are resident, and how far the window is usable.
///
/// Pages are allocated lowest address first, committed in growing steps, and released by `Retention`'s rule. A value of this
/// type takes no lock: its owner guards it (`arenaLock` for the process's own).
struct Arena {
    /// How the window is backed.
    enum Backing {
        /// One `PROT_NONE` mapping, of which a front part is made usable by mprotect(2).
        case reserved
        /// Address space is short: nothing is reserved, and pieces are mapped one after the other, around whatever is in the way.
        case pieces
    }

    /// A run of pages that was allocated.
    struct Allocation {
        var first: Int
        /// Whether some page may hold old bytes.
        var dirty: Bool
    }

    private(set) var base: UInt = 0
    /// Pages of the window.
    private(set) var limit = 0
    /// Pages in front of this number are usable, but for the holes that pieces went around.
    private(set) var committed = 0
    private(set) var inUse = 0
    /// No allocation may bring the pages in use above this number.
    var inUseLimit = Int.max
    private(set) var tree = FreeTree()
    var retention = Retention()
    var mayUseHugePages = false
    private(set) var backing = Backing.reserved
    /// Pages that a thread is giving back to the kernel, and its number. They count as in use.
    private(set) var releasing: Range<Int>?
    private var releasingThread: UInt32 = 0

    /// Whether a thread is giving pages back.
    var isReleasing: Bool { releasing != nil }

    static var pageSize: UInt { 1 << UInt(PERCOLATE_PAGE_SHIFT) }
    /// Most pages committed beyond what a request needs.
    private static var largestStep: Int { 8192 }
    private static var smallestStep: Int { 64 }

    /// Bytes of metadata of an arena of `pages` pages.
    static func metadataSize(pages: Int) -> UInt { FreeTree.size(chunkCount: pages / Chunk.pages) }

    /// Starts with the `pages` pages at `base`, none of them usable yet, and metadata at `metadata`.
    mutating func start(base: UInt, pages: Int, metadata: UInt, backing: Backing) {
        self.base = base
        self.backing = backing
        limit = pages
        tree.place(at: metadata, chunkCount: pages / Chunk.pages)
    }

    /// Where the counts of pages are, for observers.
    mutating func countAddresses() -> (inUse: UInt, committed: UInt) {
        (addressOf(&inUse), addressOf(&committed))
    }

    @inline(__always)
    func address(_ page: Int) -> UInt { base &+ UInt(page) &<< UInt(PERCOLATE_PAGE_SHIFT) }

    /// Allocates `count` pages, the first at a multiple of `alignment` pages. Nil when the window or the kernel has no more.
    ///
    /// - Parameter growing: whether the kernel may be asked for more pages.
    mutating func allocate(_ count: Int, alignment: Int = 1, growing: Bool = true) -> Allocation? {
        let needed = count &+ alignment &- 1
        guard needed <= limit, count <= inUseLimit &- inUse else { return nil }
        guard let run = growing ? find(needed) : tree.find(needed) else { return nil }
        let alignmentBytes = UInt(alignment) &<< UInt(PERCOLATE_PAGE_SHIFT)
        let start = Int((roundUp(address(run), alignmentBytes) &- base) &>> UInt(PERCOLATE_PAGE_SHIFT))
        return allocate(free: start..<(start &+ count))
    }

    /// Allocates exactly `pages` if all of them are free.
    mutating func allocate(exactly pages: Range<Int>) -> Allocation? {
        guard pages.upperBound <= committed, pages.count <= inUseLimit &- inUse else { return nil }
        var free = 0
        tree.forEachChunk(pages) { chunk, range in free &+= chunk.free.count(in: range) }
        guard free == pages.count else { return nil }
        return allocate(free: pages)
    }

    private mutating func allocate(free pages: Range<Int>) -> Allocation {
        let dirty = take(pages)
        retention.took(pages: pages.count, dirty: dirty)
        return Allocation(first: pages.lowerBound, dirty: dirty > 0)
    }

    /// Takes free pages out of use. Returns how many of them are dirty.
    private mutating func take(_ pages: Range<Int>) -> Int {
        var dirty = 0
        tree.forEachChunk(pages) { chunk, range in
            dirty &+= chunk.dirty.count(in: range)
            // In this order, so that no page is ever neither: that is a page which does not exist (`repair`).
            chunk.dirty.set(range)
            percolate_compiler_barrier()
            chunk.free.clear(range)
        }
        tree.update(FreeTree.chunks(of: pages))
        inUse &+= pages.count
        return dirty
    }

    /// Frees `pages`. `clean` says that they read as zero and are not resident.
    mutating func free(_ pages: Range<Int>, clean: Bool = false) {
        tree.forEachChunk(pages) { chunk, range in
            chunk.free.set(range)
            percolate_compiler_barrier()
            if clean { chunk.dirty.clear(range) }
        }
        tree.update(FreeTree.chunks(of: pages))
        inUse &-= pages.count
        if !clean { retention.gave(pages: pages.count, highest: pages.upperBound &- 1, inUse: inUse) }
    }

    /// Takes the highest run of free resident pages below page `bound` out of use, at most `most` of them, for the caller to release and
    /// to give back by `finishRelease`. Nil when no run of `shortest` pages is left there, or when somebody else is about it: one run
    /// at a time.
    mutating func beginRelease(most: Int, shortest: Int = 1, below bound: Int = .max) -> Range<Int>? {
        guard releasing == nil else { return nil }
        let end = min(bound, min(retention.highestDirty &+ 1, tree.chunkCount &* Chunk.pages))
        guard let run = lastReleasable(below: end, shortest: shortest) else {
            if bound > retention.highestDirty, shortest == 1 { retention.noneDirty() }
            if shortest > 1 { retention.noLongRun() }
            return nil
        }
        let pages = max(run.lowerBound, run.upperBound &- most)..<run.upperBound
        if shortest == 1, bound > retention.highestDirty { retention.highestDirty = pages.upperBound &- 1 }
        retention.withdrew(pages: take(pages))
        releasingThread = percolate_thread_number()
        percolate_compiler_barrier()
        releasing = pages
        return pages
    }

    private func lastReleasable(below bound: Int, shortest: Int) -> Range<Int>? {
        var end = bound
        while end > 0, let index = tree.lastReleasableChunk(atMost: (end &- 1) / Chunk.pages) {
            let first = index &* Chunk.pages
            if tree.longestRun(inChunk: index) >= shortest,
                let run = tree.chunk(index).lastReleasable(below: min(end &- first, Chunk.pages), shortest: shortest)
            {
                return (first &+ run.lowerBound)..<(first &+ run.upperBound)
            }
            end = first
        }
        return nil
    }

    /// Frees what `beginRelease` took, as clean when the kernel took the memory back.
    mutating func finishRelease(_ pages: Range<Int>, released: Bool) {
        releasing = nil
        free(pages, clean: released)
        if released {
            retention.released(pages: pages.count)
        } else {
            retention.refused(pages: pages.count)
        }
    }

    /// The thread that is releasing pages, 0 for none.
    var releaser: UInt32 { releasing == nil ? 0 : releasingThread }

    /// Frees the pages that a thread was releasing which never comes back to finish.
    mutating func abandonRelease() {
        guard let pages = releasing else { return }
        releasing = nil
        free(pages)
    }

    /// Says which pages are in use, and makes everything else of the arena anew, after a thread was lost in it.
    ///
    /// A page in use is dirty and not free. Such a page that no span covers was on its way: it is free now, and counts as dirty. A page
    /// that is neither free nor dirty does not exist: it lies in a hole between pieces.
    ///
    /// - Parameter spans: the spans that cover pages, each by the entry of its first page at least.
    mutating func repair(_ spans: SpanTable) {
        if releasing != nil, releasingThread == percolate_thread_number() { releasing = nil }
        var page = 0
        inUse = 0
        while page < committed {
            let covered = spans.extent(at: page) ?? releasing.flatMap { $0.contains(page) ? $0 : nil }
            if let covered {
                inUse &+= covered.count
                page = covered.upperBound
                continue
            }
            let chunk = tree.chunk(page / Chunk.pages)
            let position = page % Chunk.pages
            if chunk.dirty[position], !chunk.free[position] { chunk.free.set(position..<(position &+ 1)) }
            page &+= 1
        }
        tree.rebuild()
        var resident = 0
        for index in 0..<tree.chunkCount {
            let chunk = tree.chunk(index)
            for word in 0..<Chunk.words { resident &+= (chunk.free.word(word) & chunk.dirty.word(word)).nonzeroBitCount }
        }
        retention.reset(resident: resident, highest: max(committed &- 1, 0), inUse: inUse)
    }

    /// Calls `body` with the pages of each run of chunks that are wholly free.
    func forEachRunOfFreeChunks(_ body: (Range<Int>) -> Void) {
        var first = 0
        for index in 0...tree.chunkCount {
            if index < tree.chunkCount, tree.longestRun(inChunk: index) == Chunk.pages { continue }
            if first < index { body(first &* Chunk.pages..<index &* Chunk.pages) }
            first = index &+ 1
        }
    }

    /// The lowest run of `count` free pages, committing more where there is none.
    private mutating func find(_ count: Int) -> Int? {
        if let run = tree.find(count) { return run }
        let tail = freeTail()
        let missing = count &- tail
        let step = min(max(Self.smallestStep, committed / 4), Self.largestStep)
        guard commit(max(missing, step)) || commit(missing) else { return nil }
        return tree.find(count) ?? findBehindHole(count)
    }

    /// A piece was mapped beyond something in the way, so the free tail did not count: map all of it.
    private mutating func findBehindHole(_ count: Int) -> Int? {
        guard backing == .pieces, commit(count) else { return nil }
        return tree.find(count)
    }

    /// Free pages at the end of the committed part.
    private func freeTail() -> Int {
        var page = committed
        while page > 0 {
            let chunk = tree.chunk((page &- 1) / Chunk.pages)
            let base = (page &- 1) / Chunk.pages &* Chunk.pages
            var position = page &- base
            while position > 0, chunk.free[position &- 1] { position &-= 1 }
            page = base &+ position
            if position > 0 { break }
        }
        return committed &- page
    }

    /// Makes `count` more pages usable, behind the committed ones.
    private mutating func commit(_ count: Int) -> Bool {
        var first = committed
        while true {
            let end = first &+ count
            guard end <= limit, tree.grow(toChunks: (end &+ Chunk.pages &- 1) / Chunk.pages) else { return false }
            let bytes = count &<< Int(PERCOLATE_PAGE_SHIFT)
            switch backing {
            case .reserved:
                guard percolate_mprotect(address(first), bytes, PROT_READ | PROT_WRITE) == 0 else { return false }
            case .pieces:
                let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
                let result = percolate_mmap(address(first), bytes, PROT_READ | PROT_WRITE, flags)
                if result == -Int(EEXIST) {
                    first = (first / Chunk.pages &+ 1) &* Chunk.pages
                    continue
                }
                guard result > 0 else { return false }
                guard UInt(result) == address(first) else {
                    _ = percolate_munmap(UInt(result), bytes)
                    return false
                }
            }
            committed = end
            inUse &+= count
            free(first..<end, clean: true)
            return true
        }
    }
}
