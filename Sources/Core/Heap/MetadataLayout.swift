import CPercolate
import Synchronization

/// Where each table of the metadata lies.
struct MetadataLayout {
    let window: UInt
    let indexes: Int
    let pages: Int
    private let tables: UInt
    private let spanTable: UInt
    private let tree: UInt
    private let rows: UInt
    private let small: UInt

    private static var closedSlab: UInt { Reservation.pageSize }

    init(window: UInt, indexes: Int) {
        self.window = window
        self.indexes = indexes
        pages = Int(window &>> UInt(PERCOLATE_PAGE_SHIFT))
        tables = roundUp(UInt(PERCOLATE_TABLE_PAGE_CLASS) &+ UInt(pages), Reservation.pageSize)
        spanTable = SpanTable.size(pages: pages)
        tree = Arena.metadataSize(pages: pages)
        rows = UInt(indexes &* Counter.count &* 8)
        let classes = SizeClass.count &* MemoryLayout<SizeClass>.stride
        let lists = Middle.listCount &* Middle.stride
        small = roundUp(
            rows &+ UInt(classes &+ lists &+ indexes &* PerCPUCache.stride) &+ 256, Reservation.pageSize)
    }

    var size: UInt { tables &+ Self.closedSlab &+ small &+ spanTable &+ tree }

    /// Writes what must be there before the first allocation. False when the kernel refuses memory.
    func place(at start: UInt, window base: UInt, backing: Arena.Backing) -> Bool {
        var fixed = Reservation(address: start, size: UInt(PERCOLATE_TABLE_PAGE_CLASS))
        arenaState.pointee.pageClasses = Reservation(
            address: start &+ UInt(PERCOLATE_TABLE_PAGE_CLASS), size: tables &- UInt(PERCOLATE_TABLE_PAGE_CLASS))
        let closed = start &+ tables
        var records = Reservation(address: closed &+ Self.closedSlab, size: small)
        guard fixed.commit(fixed.size), records.commit(small),
            percolate_mprotect(closed, Int(Self.closedSlab), PROT_READ) == 0
        else { return false }

        front.tables = UInt64(start)
        // In this order, what a small process uses of each lies together.
        Middle.state.pointee.lists = Table(address: records.address)
        let afterLists = Middle.lists.address &+ UInt(Middle.listCount &* Middle.stride)
        middleState.pointee.sizeClasses = Table(address: afterLists)
        let afterClasses = sizeClasses.address &+ UInt(SizeClass.count &* MemoryLayout<SizeClass>.stride)
        let rowsStart = roundUp(afterClasses, 64)
        platformState.pointee.counterRows = Table(address: rowsStart)
        platformState.pointee.counterRowCount = indexes
        FrontEnd.state.pointee.caches = Table(address: roundUp(rowsStart &+ rows, 64))
        FrontEnd.state.pointee.indexCount = indexes
        FrontEnd.state.pointee.closed = UInt64(closed)
        writeSizeClasses(lookup: pointer(start &+ UInt(PERCOLATE_TABLE_SIZE_CLASS)))
        // Entries -2 and -1 serve threads that are not registered.
        let gates = Table<UInt64>(address: start &+ UInt(PERCOLATE_TABLE_GATES))
        for index in -2..<indexes { gates[index].pointee = UInt64(closed) }

        let treeStart = records.address &+ small
        spans.place(at: treeStart &+ tree, pages: pages)
        guard arena.start(base: base, pages: pages, metadata: treeStart, backing: backing) else { return false }
        front.base = UInt64(base)
        return true
    }
}
