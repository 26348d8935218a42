import CPercolate

/// The pages of one window of addresses: which are in use, which are free, and how far the window
/// is usable.
///
/// A page is in one state (`Chunk` says how the bits tell them apart): not committed, in use, free
/// and clean, free and dirty, or releasing. Free pages are allocated lowest address first.
/// `Retention` decides how many free pages stay dirty.
///
/// Nothing here asks the kernel for anything: growth (`Growth`) and release (`Release`) take pages
/// out of this value, make their system calls without a lock, and put the pages back. A value of
/// this type takes no lock: its owner guards it (`arenaLock` for the process's own).
struct Arena {
    /// How the window is backed.
    enum Backing {
        /// One `PROT_NONE` mapping, of which a front part is made usable by mprotect(2).
        case reserved
        /// Address space is short: nothing is reserved, and pieces are mapped one after the other,
        /// around whatever is in the way.
        case pieces
    }

    /// A run of pages that was allocated.
    struct Allocation {
        var first: Int
        var count: Int
        /// The pages from the first to the last that may hold old bytes; empty where all of them
        /// read as zero.
        var dirty: Range<Int>
    }

    /// Why there is no run of pages.
    enum Shortage: Error {
        /// No free run is long enough: the window may grow, or pages that are being released may
        /// come back.
        case noRun
        /// The limit does not allow for so many pages in use.
        case overLimit
    }

    private(set) var base: UInt = 0
    /// Pages of the window.
    private(set) var limit = 0
    /// Pages in front of this number are usable, but for the holes that pieces went around.
    private(set) var committed = 0
    private(set) var inUse = 0
    /// The pages that the releasing thread gives back to the kernel. They are neither free nor in
    /// use.
    private(set) var releasing = ReleaseBatch()
    /// The number of the releasing thread; 0 when there is none.
    private(set) var releaser: UInt32 = 0
    var limits = MemoryLimits()
    private(set) var tree = FreeTree()
    var retention = Retention()
    var hugePages = HugePages()
    private(set) var backing = Backing.reserved

    /// Whether another thread gives pages back: they are free again soon.
    var isReleasingElsewhere: Bool { releaser != 0 && releaser != percolate_thread_number() }

    /// Bytes of metadata of an arena of `pages` pages.
    static func metadataSize(pages: Int) -> UInt { FreeTree.size(chunkCount: pages / Chunk.pages) }

    /// Starts with the `pages` pages at `base`, none of them usable yet, and metadata at
    /// `metadata`. False when the kernel refuses memory.
    mutating func start(base: UInt, pages: Int, metadata: UInt, backing: Backing) -> Bool {
        self.base = base
        self.backing = backing
        limit = pages
        return tree.place(at: metadata, chunkCount: pages / Chunk.pages)
    }

    /// Where the counts of pages are, for observers.
    mutating func countAddresses() -> (inUse: UInt, committed: UInt) {
        (addressOf(&inUse), addressOf(&committed))
    }

    @inline(__always)
    func address(_ page: Int) -> UInt { base &+ UInt(page) &<< UInt(PERCOLATE_PAGE_SHIFT) }

    /// Allocates `count` pages, the first at a multiple of `alignment` pages.
    mutating func allocate(_ count: Int, alignment: Int = 1) throws(Shortage) -> Allocation {
        let needed = count &+ alignment &- 1
        guard needed <= limit else { throw .noRun }
        guard limits.allow(count, inUse: inUse) else { throw .overLimit }
        // What an aligned block left has its alignment, and no room to spare.
        let close = alignment > 1 ? tree.find(count).map { aligned($0, count, alignment) } : nil
        if let close, let allocation = allocate(exactly: close) { return allocation }
        guard let run = tree.find(needed) else { throw .noRun }
        return allocate(free: aligned(run, count, alignment))
    }

    /// The `count` pages from the first multiple of `alignment` at or after page `run`.
    private func aligned(_ run: Int, _ count: Int, _ alignment: Int) -> Range<Int> {
        let offset = Int(base &>> UInt(PERCOLATE_PAGE_SHIFT))
        let start = roundUp(run &+ offset, alignment) &- offset
        return start..<(start &+ count)
    }

    /// Allocates `count` pages of one chunk, whole ones of the kernel, as far behind all others as
    /// there are free ones.
    mutating func allocate(last count: Int) -> Allocation? {
        guard limits.allow(count, inUse: inUse) else { return nil }
        return tree.findLast(count, alignment: Self.systemPages).map { allocate(free: $0) }
    }

    /// Pages in use, that no span covers, exist no more.
    mutating func retire(_ pages: Range<Int>) {
        tree.retire(pages)
        inUse &-= pages.count
    }

    /// Allocates `count` pages, or as many times that as the lowest run which fits has room for, up
    /// to `most`.
    mutating func allocate(_ count: Int, upToTimes most: Int) throws(Shortage) -> Allocation {
        guard count <= limit else { throw .noRun }
        guard limits.allow(count, inUse: inUse) else { throw .overLimit }
        guard let run = tree.find(count) else { throw .noRun }
        // Inside the chunk that the run begins in: it is at hand.
        let start = run % Chunk.pages
        let end = tree.chunk(run / Chunk.pages).free.first(false, from: start)
        var times = max(1, min(most, (end &- start) / count))
        while times > 1, !limits.allow(times &* count, inUse: inUse) { times &-= 1 }
        return allocate(free: run..<(run &+ times &* count))
    }

    /// Allocates exactly `pages` if all of them are free.
    mutating func allocate(exactly pages: Range<Int>) -> Allocation? {
        guard pages.upperBound <= committed, limits.allow(pages.count, inUse: inUse) else { return nil }
        return tree.areFree(pages) ? allocate(free: pages) : nil
    }

    private mutating func allocate(free pages: Range<Int>) -> Allocation {
        let taken = tree.take(pages)
        if taken.madeDirty > 0 { retention.give(pages: taken.madeDirty) }
        inUse &+= pages.count
        let now = retention.mayRegret ? percolate_milliseconds() : 0
        retention.take(pages: pages.count, dirty: taken.dirtyCount, at: now)
        return Allocation(first: pages.lowerBound, count: pages.count, dirty: taken.dirty)
    }

    /// Frees `pages`. `clean` says that they read as zero and are not resident.
    ///
    /// - Parameter mayWait: whether the tree is told of them by a later call, before the lock is
    ///   given back: one that frees pages of the same chunk.
    mutating func free(_ pages: Range<Int>, clean: Bool = false, mayWait: Bool = false) {
        tree.putBack(pages, clean: clean, mayWait: mayWait)
        inUse &-= pages.count
        if !clean { retention.give(pages: pages.count) }
    }

    // MARK: Release

    /// Moves dirty free pages into `releasing`, for the caller to give back to the kernel: at most
    /// `most` of them, the highest first, in runs of `shortest` or more. One thread releases at a
    /// time.
    ///
    /// - Returns: whether the caller has something to release.
    mutating func beginRelease(most: Int, shortest: Int) -> Bool {
        guard releaser == 0 else { return false }
        releasing = ReleaseBatch()
        // So many pages in a row hold a page of the kernel, wherever they begin.
        let least = 2 &* Self.systemPages &- 1
        let shortest = max(shortest, least)
        while releasing.pageCount < most, !releasing.isFull,
            let index = tree.lastReleasableChunk(shortest: shortest)
        {
            if takeWholeChunks(through: index, most: most) { continue }
            let chunk = tree.chunk(index)
            guard let run = chunk.lastReleasable(shortest: shortest) else { break }
            let start = max(run.lowerBound, run.upperBound &- max(most &- releasing.pageCount, least))
            let taken = Self.wholeSystemPages(start)..<(run.upperBound & ~(Self.systemPages &- 1))
            let dirty = chunk.dirty.count(in: taken)
            chunk.free.clear(taken)
            let first = index &* Chunk.pages
            releasing.append(
                (first &+ taken.lowerBound)..<(first &+ taken.upperBound), dirty: dirty, wasHuge: chunk.isHuge)
            if chunk.isHuge { hugePages.forget() }
            chunk.isHuge = false
            tree.update(index...index)
        }
        guard releasing.pageCount > 0 else { return false }
        retention.withdraw(pages: releasing.pageCount)
        percolate_compiler_barrier()
        releaser = percolate_thread_number()
        return true
    }

    /// Moves chunks of nothing but free dirty pages into `releasing`: the last of them, and those
    /// in a row below it, as far as `most` allows. Whether there are any.
    private mutating func takeWholeChunks(through last: Int, most: Int) -> Bool {
        var first = last &+ 1
        while first > 0, releasing.pageCount &+ Chunk.pages <= most, !releasing.isFull,
            tree.releasableRun(inChunk: first &- 1) == Chunk.pages
        {
            first &-= 1
            let chunk = tree.chunk(first)
            chunk.free.clear(0..<Chunk.pages)
            let start = first &* Chunk.pages
            releasing.append(start..<(start &+ Chunk.pages), dirty: Chunk.pages, wasHuge: chunk.isHuge)
            if chunk.isHuge { hugePages.forget() }
            chunk.isHuge = false
        }
        guard first <= last else { return false }
        tree.update(first...last)
        return true
    }

    /// Frees what `beginRelease` took. Bit n of `released` says that the kernel took the memory of
    /// run n back.
    mutating func finishRelease(_ released: UInt64, at milliseconds: UInt64) {
        for index in 0..<releasing.count {
            let isReleased = released &>> UInt64(index) & 1 != 0
            let dirty = releasing.dirtyPages(index)
            if isReleased {
                tree.putBack(releasing[index], clean: true)
                retention.release(pages: dirty, at: milliseconds)
            } else {
                // Clean pages among them stay clean: their bits were left alone.
                tree.putBack(releasing[index])
                retention.refuse(pages: dirty)
            }
        }
        releaser = 0
    }

    /// Frees the pages of a batch whose thread never comes back to finish.
    mutating func abandonRelease() {
        if releaser != 0 { finishRelease(0, at: 0) }
    }

    // MARK: Repair

    /// Says which pages are in use, and makes everything else of the arena anew, after a thread was
    /// lost in it.
    ///
    /// A page in use is dirty and not free. Such a page that no span covers was on its way: it is
    /// free now, and counts as dirty. A page that is neither free nor dirty does not exist: it lies
    /// in a hole between pieces.
    ///
    /// - Parameter spans: the spans that cover pages, each by the entry of its first page at least.
    mutating func repair(_ spans: SpanTable) {
        // A batch is whole from the store to `releaser` on.
        let isOwn = releaser == 0 || releaser == percolate_thread_number()
        if isOwn { releaser = 0 }
        var page = 0
        inUse = 0
        while page < committed {
            if let covered = spans.extent(at: page) {
                inUse &+= covered.count
                page = covered.upperBound
                continue
            }
            if !isOwn, let run = releasing.run(around: page) {
                page = run.upperBound
                continue
            }
            let chunk = tree.chunk(page / Chunk.pages)
            let position = page % Chunk.pages
            if chunk.dirty[position], !chunk.free[position] { chunk.free.set(position..<(position &+ 1)) }
            page &+= 1
        }
        if isOwn { freeLostBatch() }
        tree.rebuild()
        var resident = 0
        for index in 0..<tree.chunkCount { resident &+= tree.chunk(index).residentPages }
        retention.reset(resident: resident)
    }

    /// The clean pages inside a lost batch look as if they did not exist.
    private mutating func freeLostBatch() {
        for index in 0..<releasing.count {
            tree.forEachChunk(releasing[index]) { chunk, range in
                for page in range where !chunk.dirty[page] { chunk.free.set(page..<(page &+ 1)) }
            }
        }
        releasing = ReleaseBatch()
    }

    /// Takes pages that became usable into the arena, as free and clean. Their metadata is
    /// committed.
    mutating func grow(by pages: Range<Int>) {
        tree.grow(toChunks: (pages.upperBound &+ Chunk.pages &- 1) / Chunk.pages)
        committed = pages.upperBound
        tree.putBack(pages, clean: true)
    }

    /// Commits the metadata of `pages` pages. Only the growing thread calls it, without the arena's
    /// lock.
    mutating func commitMetadata(pages: Int) -> Bool { tree.commit(chunks: (pages &+ Chunk.pages &- 1) / Chunk.pages) }

    /// The window ends at `pages` from now on, and grows in pieces.
    mutating func giveUpReservation(keeping pages: Int) {
        limit = pages
        backing = .pieces
        tree.truncate(toChunks: (pages &+ Chunk.pages &- 1) / Chunk.pages)
    }
}
