import CPercolate

/// The span records, and which span each page belongs to. Guarded by the arena's lock; looking a
/// page up takes no lock, since the entry of a page in use does not change.
struct SpanTable {
    private var records = Reservation()
    private var pageSpans = Reservation()
    /// One byte for each page of records: how many are used, or `released`.
    private var uses = Reservation()
    /// Records that were ever used are below this number.
    private var count: UInt32 = 1
    private var firstUnused: SpanID = 0
    private var unusedCount = 0
    /// Pages of records that were released, and a page below which there is none.
    private var releasedPages = 0
    private var lowestReleased = 0

    /// Where the number of pages of released records is, for observers.
    mutating func releasedPagesAddress() -> UInt { addressOf(&releasedPages) }

    /// Where the spans' numbers of the pages are, for debuggers.
    var pageSpansAddress: UInt { pageSpans.address }

    /// Bytes of records that are counted together and go back to the kernel together, where its
    /// pages are not larger.
    private static var recordPage: UInt { 4096 }
    /// Records of a page.
    private static var perPage: Int { Int(recordPage / Span.stride) }
    private static var released: UInt8 { 255 }

    static func size(pages: Int) -> UInt {
        recordSize(pages) &+ roundUp(UInt(pages) &* 4, Reservation.pageSize) &+ useSize(pages)
    }

    private static func recordSize(_ pages: Int) -> UInt {
        roundUp(UInt(pages / 2) &* Span.stride, Reservation.pageSize)
    }

    private static func useSize(_ pages: Int) -> UInt {
        roundUp(recordSize(pages) / recordPage, Reservation.pageSize)
    }

    mutating func place(at address: UInt, pages: Int) {
        records = Reservation(address: address, size: Self.recordSize(pages))
        pageSpans = Reservation(
            address: address &+ Self.recordSize(pages), size: roundUp(UInt(pages) &* 4, Reservation.pageSize))
        uses = Reservation(address: pageSpans.address &+ pageSpans.size, size: Self.useSize(pages))
    }

    /// Makes the entries of the first `pages` pages usable. Only the growing thread calls it,
    /// without the arena's lock.
    mutating func grow(toPages pages: Int) -> Bool { pageSpans.commit(UInt(pages) &* 4) }

    /// Whether there are addresses for more records.
    var mayHaveMoreRecords: Bool { UInt(count &+ 1) &* Span.stride <= records.size }

    /// Makes more records usable, if it can enough for a heap of `pages` pages: where the program's
    /// limit is used up, free pages are of no use without records. Only the growing thread calls
    /// it, without the arena's lock.
    mutating func commitRecords(forPages pages: Int) -> Bool {
        let needed = UInt(count &+ 1) &* Span.stride
        guard needed <= records.size else { return false }
        let wanted = min(max(needed, UInt(pages / 2) &* Span.stride), records.size)
        guard records.commit(wanted) || records.commit(needed) else { return false }
        // The first page is not counted: a small process does without the table.
        let page = UInt(Int(count) / Self.perPage)
        return page == 0 || uses.commit(page &+ 1, step: 4096)
    }

    /// Gives up what a window of `pages` pages does not need.
    mutating func truncate(toPages pages: Int) {
        records.truncate(to: Self.recordSize(pages))
        pageSpans.truncate(to: UInt(pages) &* 4)
        uses.truncate(to: Self.useSize(pages))
    }

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

    /// The pages of the span whose first page is `page`; nil when no span begins there. An entry
    /// that a lost thread left of a span that is not there is cleared.
    func extent(at page: Int) -> Range<Int>? {
        guard UInt(page) &* 4 < pageSpans.committed else { return nil }
        let id = span(of: page)
        guard id != 0 else { return nil }
        let record = self[id].pointee
        if record.kind != .unused, Int(record.firstPage) == page { return page..<(page &+ Int(record.pages)) }
        setSpan(0, of: page..<(page &+ 1))
        return nil
    }

    func setSpan(_ id: SpanID, of pages: Range<Int>) {
        let entries = Table<SpanID>(address: pageSpans.address)
        for page in pages { entries[page].pointee = id }
    }

    /// The numbers of the records that were ever used.
    var recordNumbers: Range<SpanID> { 1..<count }

    /// Chains the unused records anew and counts uses, after a thread was lost in the table. The
    /// kinds of the records are the truth.
    mutating func rebuild() {
        firstUnused = 0
        unusedCount = 0
        releasedPages = 0
        lowestReleased = 1
        var page = Int(count &- 1) / Self.perPage
        while page >= 0 {
            // The entry of a page exists from its first record on.
            if page > 0, use(ofPage: page).pointee == Self.released {
                releasedPages &+= 1
            } else {
                var used = 0
                for id in records(ofPage: page) where self[SpanID(id)].pointee.kind != .unused { used &+= 1 }
                if page > 0 { use(ofPage: page).pointee = UInt8(used) }
                addUnused(ofPage: page)
            }
            page &-= 1
        }
    }

    /// An unused record; 0 when none is left of those that `commitRecords` made usable.
    mutating func makeRecord() -> SpanID {
        if firstUnused == 0, releasedPages > 0 { revivePage() }
        var id = firstUnused
        if id != 0 {
            firstUnused = self[id].pointee.next
            // Records of a heap that shrinks and grows lie in no order: the next one is on its way
            // when it is wanted.
            percolate_prefetch(UInt(bitPattern: self[firstUnused]))
            unusedCount &-= 1
        } else {
            id = count
            let page = UInt(Int(id) / Self.perPage)
            guard UInt(id &+ 1) &* Span.stride <= records.committed, page == 0 || page < uses.committed else {
                return 0
            }
            count &+= 1
        }
        countUse(of: id, 1)
        return id
    }

    /// Adds to the uses of the record's page. The first page is never released, and not counted.
    private func countUse(of id: SpanID, _ change: Int8) {
        let page = Int(id) / Self.perPage
        if page > 0 { use(ofPage: page).pointee &+= UInt8(bitPattern: change) }
    }

    mutating func returnRecord(_ id: SpanID) {
        countUse(of: id, -1)
        addUnused(id)
    }

    private mutating func addUnused(_ id: SpanID) {
        self[id].pointee.kind = .unused
        self[id].pointee.next = firstUnused
        firstUnused = id
        unusedCount &+= 1
    }

    @inline(__always)
    private func use(ofPage page: Int) -> UnsafeMutablePointer<UInt8> { Table<UInt8>(address: uses.address)[page] }

    /// The records of a page that were ever used.
    private func records(ofPage page: Int) -> Range<Int> {
        max(page &* Self.perPage, 1)..<min((page &+ 1) &* Self.perPage, Int(count))
    }

    /// Makes the records of the lowest released page unused ones again.
    private mutating func revivePage() {
        while use(ofPage: lowestReleased).pointee != Self.released { lowestReleased &+= 1 }
        use(ofPage: lowestReleased).pointee = 0
        addUnused(ofPage: lowestReleased)
        releasedPages &-= 1
    }

    /// Downwards, so that the lowest are used first.
    private mutating func addUnused(ofPage page: Int) {
        let ids = records(ofPage: page)
        var id = ids.upperBound &- 1
        while id >= ids.lowerBound {
            if self[SpanID(id)].pointee.kind == .unused { addUnused(SpanID(id)) }
            id &-= 1
        }
    }

    /// Whether so many records are unused that `releaseUnused` is worth its time: 256 KiB of them.
    var hasManyUnused: Bool { unusedCount >= 2048 }

    /// Gives pages whose records are all unused back to the kernel.
    mutating func releaseUnused() {
        firstUnused = 0
        unusedCount = 0
        // The first page has record 0, the last one may have records that were never used: both
        // stay.
        var page = Int(count &- 1) / Self.perPage
        var end = page &+ 1
        while page >= 0 {
            let isWhole = page > 0 && records(ofPage: page).count == Self.perPage
            if isWhole, use(ofPage: page).pointee == 0 {
                use(ofPage: page).pointee = Self.released
                releasedPages &+= 1
                lowestReleased = min(lowestReleased, page)
            } else {
                releaseRecords(ofPages: (page &+ 1)..<end)
                end = page
                if page == 0 || use(ofPage: page).pointee != Self.released { addUnused(ofPage: page) }
            }
            page &-= 1
        }
    }

    /// Where the kernel refuses, the records stay as they are: unused.
    private func releaseRecords(ofPages pages: Range<Int>) {
        guard !pages.isEmpty else { return }
        let address = records.address &+ UInt(pages.lowerBound) &* Self.recordPage
        Reservation.discard(address, UInt(pages.count) &* Self.recordPage)
    }

    /// Gives the entries of `pages`, none of which belongs to a span, back to the kernel: they read
    /// as 0.
    func releaseEntries(of pages: Range<Int>) {
        Reservation.discard(pageSpans.address &+ UInt(pages.lowerBound) &* 4, UInt(pages.count) &* 4)
    }

    var metadataBytes: UInt {
        records.committed &- UInt(releasedPages) &* Self.recordPage &+ pageSpans.committed &+ uses.committed
    }
}
