import CPercolate

/// Huge pages, where a region is dense: a chunk that small spans are about to fill in a heap that
/// grows and is already large, and whole chunks of a large block.
///
/// A huge page costs one fault in place of 512, and is resident as a whole from the first byte
/// written. So a chunk for small spans gets one only when it is untouched, when it adds little to
/// what is in use, and when few free pages are resident: then the heap grows because the program
/// needs more, and not because its holes do not fit. A chunk loses its huge page when a part of it
/// is released (`Chunk.breakingPoint`), and the kernel (khugepaged) must not fill it up again.
/// Everything else in the window has MADV_NOHUGEPAGE, whatever the machine's default is.
///
/// `huge=auto` follows the machine's setting: on where it is `always`, which is what programs
/// without this allocator get there too. A machine that says `madvise` leaves the choice to the
/// program, and `huge=1` makes it: in a virtual machine whose host takes free memory back, a huge
/// page may come unbacked, and the host's faults cost more than the guest saves.
struct HugePages {
    var isOn = false
    /// Whether `isOn` is known. `huge=auto` asks the machine once the heap is large enough for the
    /// answer to matter.
    var isDecided = false
    /// Ranges with the advice: each may be a mapping of its own, of which the kernel allows a
    /// process 65530.
    fileprivate(set) var ranges = 0

    /// A release takes the advice back from a chunk.
    mutating func forget() { ranges = max(ranges &- 1, 0) }

    fileprivate static var mostRanges: Int { 8192 }
    /// Pages in use from which on a chunk is a small addition: 16 MiB.
    fileprivate static var threshold: Int { 4096 }
    /// Pages from which on a block is a large array: 4 MiB.
    static var arrayPages: Int { 1024 }

    private static var setting: StaticString { "/sys/kernel/mm/transparent_hugepage/enabled" }

    /// Follows the machine's setting, where the process may ask for it.
    mutating func decide(_ isRestricted: Bool) {
        isOn = !isRestricted && Self.isMachineDefault()
        isDecided = true
    }

    /// Whether the machine gives huge pages to whoever does not refuse them (transparent_hugepage
    /// in the kernel's documentation).
    private static func isMachineDefault() -> Bool {
        var text = InlineArray<32, UInt8>(repeating: 0)
        let count = SmallFile.read(setting, into: &text)
        return count > 7 && text[0] == UInt8(ascii: "[") && text[1] == UInt8(ascii: "a")
    }
}

extension Arena {
    /// To be asked when a small span was allocated at `pages`, before they are touched. The pages
    /// to advise; empty for none.
    mutating func hugePages(forSpan pages: Range<Int>) -> Range<Int> {
        let index = (pages.upperBound &- 1) / Chunk.pages
        let first = index &* Chunk.pages
        let end = first &+ Chunk.pages
        guard hugePages.isOn, pages.lowerBound <= first, inUse >= HugePages.threshold, committed >= end,
            backing == .reserved, retention.resident <= inUse / 16, hugePages.ranges < HugePages.mostRanges
        else { return 0..<0 }
        let rest = (pages.upperBound &- first)..<Chunk.pages
        let chunk = tree.chunk(index)
        guard chunk.free.count(in: rest) == rest.count, chunk.dirty.count(in: rest) == 0 else { return 0..<0 }
        chunk.isHuge = true
        // The first byte written makes all of them resident.
        chunk.dirty.set(rest)
        tree.update(index...index)
        retention.give(pages: rest.count)
        hugePages.ranges &+= 1
        return first..<end
    }

    /// The number of pages of which the length and the place of a large block of `count` pages are
    /// multiples, to make the most of its huge pages. The kernel fills and moves such a block a
    /// huge page at a time, also where it grows by steps.
    func hugePageUnit(forBlock count: Int) -> Int {
        hugePages.isOn && count >= HugePages.arrayPages && backing == .reserved ? Chunk.pages : Self.systemPages
    }

    /// To be asked when clean `pages` were allocated for a large block of `count` pages: its end,
    /// or all of it. The pages to advise; empty for none.
    mutating func hugePages(forBlock pages: Range<Int>, of count: Int) -> Range<Int> {
        let first = (pages.lowerBound &+ Chunk.pages &- 1) / Chunk.pages
        let end = pages.upperBound / Chunk.pages
        guard hugePages.isOn, count >= HugePages.arrayPages, first < end, backing == .reserved,
            hugePages.ranges < HugePages.mostRanges
        else { return 0..<0 }
        for index in first..<end { tree.chunk(index).isHuge = true }
        tree.update(first...(end &- 1))
        hugePages.ranges &+= 1
        return (first &* Chunk.pages)..<(end &* Chunk.pages)
    }
}
