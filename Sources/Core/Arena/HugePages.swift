import CPercolate

/// Huge pages, where a region is dense: a chunk that small spans are about to fill, in a heap that grows and is already large.
///
/// A huge page costs one fault in place of 512, and is resident as a whole from the first byte written. So a chunk gets one only when it
/// is untouched, when it adds little to what is in use, and when few free pages are resident, that is, when the heap grows because
/// the program needs more and not because its holes do not fit. It loses the advice when a part of it is released: then it is not
/// dense, and the kernel (khugepaged) must not fill it up again. Everything else in the window has MADV_NOHUGEPAGE, whatever the
/// machine's default is.
///
/// Not without the user's word (`huge=1`): in a virtual machine whose host takes free memory back, a huge page comes unbacked, and
/// the host's faults cost more than the guest saves: measured, 0.75 s of system time in place of 0.20 s for 350 MiB of small blocks.
extension Arena {
    /// Pages in use from which on a chunk is a small addition: 32 MiB.
    private static var hugeThreshold: Int { 8192 }

    /// To be asked when a small span was allocated at `pages`, before they are touched: may back the chunk that they open.
    mutating func considerHugePage(_ pages: Range<Int>) {
        let index = (pages.upperBound &- 1) / Chunk.pages
        let first = index &* Chunk.pages
        guard mayUseHugePages, pages.lowerBound <= first, inUse >= Self.hugeThreshold,
            committed >= first &+ Chunk.pages,
            backing == .reserved, retention.resident <= inUse / 16
        else { return }
        let taken = pages.upperBound &- first
        let rest = taken..<Chunk.pages
        let chunk = tree.chunk(index)
        guard chunk.free.count(in: rest) == rest.count, chunk.dirty.count(in: rest) == 0 else { return }
        let bytes = Chunk.pages &<< Int(PERCOLATE_PAGE_SHIFT)
        guard percolate_madvise(address(first), bytes, MADV_HUGEPAGE) == 0 else { return }
        chunk.isHuge = true
        chunk.dirty.set(rest)
        tree.update(index...index)
        retention.populated(pages: rest.count, highest: first &+ Chunk.pages &- 1)
    }

    /// To be asked when pages of chunk `index` are about to be released. Whether its advice is to be taken back now.
    func endHugePage(ofChunk index: Int) -> Bool {
        let chunk = tree.chunk(index)
        let wasHuge = chunk.isHuge
        chunk.isHuge = false
        return wasHuge
    }
}
