import CPercolate

/// The size classes: block sizes, and how spans and caches treat each.
///
/// Rule of the sizes: 8, 16, then steps of 16 up to 128, then eight equal steps per doubling up to
/// 32 KiB. So a request beyond 128 bytes wastes at most a ninth of its block (11.2 %). A block of
/// 16 bytes or more is aligned to 16; one of a size that is a multiple of a power of two up to the
/// page size is aligned to that. A Swift array asks for a power of two plus its header of 32 bytes,
/// and takes the rest of the block into its capacity: the class one step above the power serves it.
///
/// Rule of the spans: the fewest pages that waste at most a sixteenth at the end and hold enough
/// blocks to be worth a span: 8 KiB or more for small blocks, at least 8 blocks up to 8 KiB each,
/// at least 4 beyond; never more than the record's 512 bits.
struct SizeClass {
    /// Bytes of a block.
    var size: UInt32 = 0
    var spanPages: UInt16 = 0
    var spanBlocks: UInt16 = 0
    /// 2^40 / size, rounded up: `offset * inverse >> 40` is `offset / size` for every offset in a
    /// span.
    var inverse: UInt64 = 0
    /// Most blocks a cache holds.
    var maxCapacity: UInt16 = 0
    /// Most blocks that move at once.
    var batch: UInt16 = 0
    /// 7 * 2^20 / spanBlocks, rounded up: `free * binScale >> 20` is `free * 7 / spanBlocks`.
    private var binScale: UInt32 = 0

    /// Classes are numbered from 1; 0 stands for "not small".
    static var count: Int { 74 }
    static var largest: Int { Int(PERCOLATE_SMALL_MAX) }

    /// Bytes of a block of class `number`, 1...count - 1.
    static func size(ofClass number: Int) -> Int {
        if number == 1 { return 8 }
        if number <= 9 { return (number &- 1) &* 16 }
        let doubling = (number &- 10) / 8
        let step = (number &- 10) % 8 &+ 1
        return (128 &+ step &* 16) &<< doubling
    }

    init() {}

    init(number: Int) {
        let size = Self.size(ofClass: number)
        self.size = UInt32(size)
        let pageSize = 1 &<< Int(PERCOLATE_PAGE_SHIFT)
        var pages = size <= 8 ? 1 : 2
        while true {
            let bytes = pages &* pageSize
            let blocks = bytes / size
            let enough = size <= 1024 ? 1 : size <= 8192 ? 8 : 4
            if blocks >= enough, (bytes % size) &* 16 <= bytes {
                spanPages = UInt16(pages)
                spanBlocks = UInt16(min(blocks, Span.maxBlocks))
                break
            }
            pages &+= 1
        }
        inverse = ((UInt64(1) &<< 40) &+ UInt64(size) &- 1) / UInt64(size)
        binScale = UInt32(((7 &<< 20) &+ Int(spanBlocks) &- 1) / Int(spanBlocks))
        maxCapacity = UInt16(min(max(131072 / size, 4), 1024))
        batch = UInt16(min(max(32768 / size, 1), MoveVector.limit))
    }

    /// The bin, 0...7, of a span with `free` free blocks: by how empty it is.
    @inline(__always)
    func bin(free: Int) -> UInt8 { UInt8(truncatingIfNeeded: (free &* Int(binScale)) &>> 20) }

    /// Which block of its span is at `offset`; nil when `offset` is inside a block.
    @inline(__always)
    func block(at offset: UInt) -> Int? {
        let index = (UInt64(offset) &* inverse) &>> 40
        return index &* UInt64(size) == UInt64(offset) && index < UInt64(spanBlocks) ? Int(index) : nil
    }
}

/// Fills the tables: of the classes' descriptions, and the fast path's of the class of each size.
func writeSizeClasses(lookup: UnsafeMutablePointer<UInt8>) {
    sizeClasses[0].pointee = SizeClass()
    var next = 0
    for number in 1..<SizeClass.count {
        sizeClasses[number].pointee = SizeClass(number: number)
        let last = SizeClass.size(ofClass: number) / 8
        while next <= last {
            lookup[next] = UInt8(number)
            next &+= 1
        }
    }
}

/// The class whose blocks hold `size` bytes, which is at most `SizeClass.largest`.
@inline(__always)
func sizeClass(ofSize size: Int) -> Int {
    let table = Table<UInt8>(address: UInt(front.tables) &+ UInt(PERCOLATE_TABLE_SIZE_CLASS))
    return Int(table[(size &+ 7) &>> 3].pointee)
}

/// The class whose blocks hold `size` bytes at multiples of `alignment`, a power of two up to the
/// page size; nil when there is none. Spans start at a page, so every block is aligned to what its
/// class's size is a multiple of.
func sizeClass(ofSize size: Int, alignment: Int) -> Int? {
    guard size <= SizeClass.largest else { return nil }
    var number = sizeClass(ofSize: max(size, 1))
    while number < SizeClass.count {
        if Int(sizeClasses[number].pointee.size) & (alignment &- 1) == 0 { return number }
        number &+= 1
    }
    return nil
}
