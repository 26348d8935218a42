import CPercolate

/// A run of pages with one use: blocks of one size class, or one large block.
///
/// The record is 128 bytes and lies apart from the pages, so a free block holds nothing of ours and
/// an unused page is never touched:
///
///     0    the fields
///     64   one bit for each block: set while the block is in the middle tier, clear while a cache or the program has it
///
/// The record of a small span is guarded by the lock of its central list, other records by the
/// arena's.
struct Span {
    enum Kind: UInt8 {
        case unused, small, large
        /// Tables of the heap itself, which found no room elsewhere. Stays for ever.
        case metadata
        /// Addresses where nothing is mapped (`makeHole`).
        case hole
    }

    var firstPage: UInt32 = 0
    var pages: UInt32 = 0
    /// Neighbours in the central list's bin, or the next unused record. 0 ends a list.
    var next: UInt32 = 0
    var previous: UInt32 = 0
    var kind = Kind.unused
    var sizeClass: UInt8 = 0
    var bin: UInt8 = 0
    var shard: UInt8 = 0
    /// Whether pages were moved here from elsewhere, so that the kernel keeps them as a mapping of
    /// their own.
    var moved = false
    /// Whether the block may be up to an eighth longer than what was asked for, because it grows in
    /// small steps.
    var hasSlack = false
    /// Whether the span belongs to its central list. One that does not is in some thread's hands,
    /// between list and arena.
    var isListed = false
    /// Whether the large block is a sample. Written by the block's owner.
    var isSampled = false
    /// Whether the entry of the first page is shown for the time of a repair only.
    var hidesEntry = false
    var blocks: UInt16 = 0
    var free: UInt16 = 0

    static var stride: UInt { 128 }
    static var bitsOffset: UInt { 64 }
    /// Blocks of a span, at most: the bits that its record holds.
    static var maxBlocks: Int { 512 }
}

/// Names a span: its record's number. 0 is none.
typealias SpanID = UInt32
