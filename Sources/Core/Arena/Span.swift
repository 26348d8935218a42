import CPercolate

/// A run of pages with one use: blocks of one size class, or one large block.
///
/// The record is 128 bytes and lies apart from the pages, so a free block holds nothing of ours and an unused page is never
/// touched:
///
///     0    the fields
///     64   one bit for each block: set while the block is in the middle tier, clear while a cache or the program has it
///
/// The record of a small span is guarded by the lock of its central list, other records by the arena's.
struct Span {
    enum Kind: UInt8 {
        case unused, small, large
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
    /// Whether pages were moved here from elsewhere, so that the kernel keeps them as a mapping of their own.
    var moved = false
    var blocks: UInt16 = 0
    var free: UInt16 = 0

    static var stride: UInt { 128 }
    static var bitsOffset: UInt { 64 }
    /// Blocks of a span, at most: the bits that its record holds.
    static var maxBlocks: Int { 512 }
}

/// Names a span: its record's number. 0 is none.
typealias SpanID = UInt32

/// The span records, and which span each page belongs to. Guarded by the arena's lock; looking a page up takes no lock, since the
/// entry of a page in use does not change.
struct SpanTable {
    private var records = Reservation()
    private var pageSpans = Reservation()
    private var count: UInt32 = 1
    private var firstUnused: SpanID = 0

    static func size(pages: Int) -> UInt {
        recordSize(pages) &+ roundUp(UInt(pages) &* 4, Reservation.pageSize)
    }

    private static func recordSize(_ pages: Int) -> UInt {
        roundUp(UInt(pages / 2) &* Span.stride, Reservation.pageSize)
    }

    mutating func place(at address: UInt, pages: Int) {
        records = Reservation(address: address, size: Self.recordSize(pages))
        pageSpans = Reservation(
            address: address &+ Self.recordSize(pages), size: roundUp(UInt(pages) &* 4, Reservation.pageSize))
    }

    /// Makes the entries of the first `pages` pages usable.
    mutating func grow(toPages pages: Int) -> Bool { pageSpans.commit(UInt(pages) &* 4) }

    @inline(__always)
    subscript(id: SpanID) -> UnsafeMutablePointer<Span> {
        pointer(records.address &+ UInt(id) &* Span.stride)
    }

    @inline(__always)
    func bits(_ id: SpanID) -> UnsafeMutablePointer<UInt64> {
        pointer(records.address &+ UInt(id) &* Span.stride &+ Span.bitsOffset)
    }

    /// The span of a page below the committed end; 0 when the page belongs to none.
    @inline(__always)
    func span(of page: Int) -> SpanID { Table<SpanID>(address: pageSpans.address)[page].pointee }

    func setSpan(_ id: SpanID, of pages: Range<Int>) {
        let entries = Table<SpanID>(address: pageSpans.address)
        for page in pages { entries[page].pointee = id }
    }

    /// An unused record; 0 when there is no memory for one.
    mutating func makeRecord() -> SpanID {
        if firstUnused != 0 {
            let id = firstUnused
            firstUnused = self[id].pointee.next
            return id
        }
        guard records.commit(UInt(count &+ 1) &* Span.stride, step: 65536) else { return 0 }
        count &+= 1
        return count &- 1
    }

    mutating func returnRecord(_ id: SpanID) {
        self[id].pointee.kind = .unused
        self[id].pointee.next = firstUnused
        firstUnused = id
    }

    var metadataBytes: UInt { records.committed &+ pageSpans.committed }
}
