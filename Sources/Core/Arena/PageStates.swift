import CPercolate

/// How pages change their state (`Chunk`), and which are in one.
extension FreeTree {
    /// What pages were before they were taken.
    struct Taken {
        /// From the first dirty page to the last one; empty where all are clean.
        var dirty: Range<Int>
        var dirtyCount = 0
        /// Other free pages that count as dirty from now on.
        var madeDirty = 0
    }

    /// Free pages are in use from now on.
    func take(_ pages: Range<Int>) -> Taken {
        var taken = Taken(dirty: pages.upperBound..<pages.upperBound)
        var end = pages.lowerBound
        var start = pages.lowerBound
        var first = pages.upperBound
        forEachChunk(pages) { chunk, range in
            let count = chunk.dirty.count(in: range)
            taken.dirtyCount &+= count
            if count > 0 {
                let base = start &- range.lowerBound
                first = min(first, base &+ chunk.dirty.first(true, from: range.lowerBound))
                end = base &+ chunk.dirty.last(in: range) &+ 1
            }
            // In this order, so that no page is ever neither: that is a page which does not exist
            // (`Arena.repair`).
            chunk.dirty.set(range)
            percolate_compiler_barrier()
            chunk.free.clear(range)
            // A byte written here makes the rest of a huge page resident as well.
            if chunk.isHuge { taken.madeDirty &+= chunk.markFreeDirty() }
            start &+= range.count
        }
        update(Self.chunks(of: pages))
        taken.dirty = taken.dirtyCount > 0 ? first..<end : end..<end
        return taken
    }

    /// Pages in use, or of a batch, are free from now on.
    ///
    /// - Parameters:
    ///   - clean: says that the pages read as zero; else their bits say which do.
    ///   - mayWait: as in `Arena.free`.
    func putBack(_ pages: Range<Int>, clean: Bool = false, mayWait: Bool = false) {
        forEachChunk(pages) { chunk, range in
            chunk.free.set(range)
            guard clean else { return }
            percolate_compiler_barrier()
            chunk.dirty.clear(range)
            if range.count == Chunk.pages { chunk.isHuge = false }
        }
        if !mayWait { update(Self.chunks(of: pages)) }
    }

    /// Pages in use do not exist any more.
    func retire(_ pages: Range<Int>) {
        forEachChunk(pages) { chunk, range in chunk.dirty.clear(range) }
    }

    func areFree(_ pages: Range<Int>) -> Bool {
        var free = 0
        forEachChunk(pages) { chunk, range in free &+= chunk.free.count(in: range) }
        return free == pages.count
    }

    /// The last `count` free pages in a row of one chunk that end at a multiple of `alignment`
    /// pages; nil when there are none.
    func findLast(_ count: Int, alignment: Int) -> Range<Int>? {
        var index = chunkCount &- 1
        while index >= 0 {
            if longestRun(inChunk: index) >= count, let run = chunk(index).lastFree(count, alignment: alignment) {
                let first = index &* Chunk.pages
                return (first &+ run.lowerBound)..<(first &+ run.upperBound)
            }
            index &-= 1
        }
        return nil
    }
}
