import CPercolate

/// The header of one size class in a slab, as a value: where the class's array of pointers begins and ends, and how far it is
/// filled. Positions count pointers from the start of the slab. It is compared and stored as one 8-byte word.
struct ClassHeader {
    var current: Int
    var begin: Int
    var end: Int
    /// 16 bits of a number that may be negative: see `Countdown`.
    var countdown: Int

    init(current: Int, begin: Int, end: Int, countdown: Int) {
        self.current = current
        self.begin = begin
        self.end = end
        self.countdown = countdown
    }

    @inline(__always)
    init(word: UInt64) {
        current = Int(word & 0xffff)
        countdown = Int(word &>> 16 & 0xffff)
        begin = Int(word &>> 32 & 0xffff)
        end = Int(word &>> 48)
    }

    @inline(__always)
    var word: UInt64 { UInt64(current) | UInt64(countdown) &<< 16 | UInt64(begin) &<< 32 | UInt64(end) &<< 48 }

    var capacity: Int { end &- begin }
    /// Free blocks in the cache.
    var count: Int { current &- begin }
    var room: Int { end &- current }
}

/// A slab: the memory of one CPU's caches. Its layout is drawn in `percolate/layout.h`.
struct Slab {
    let address: UInt64

    /// Bytes of addresses of a slab. What is used of it grows with the capacities.
    static var size: UInt { 131072 }
    static var words: Int { Int(size) / 8 }
    /// The first word behind the headers.
    static var firstWord: Int { Int(PERCOLATE_SLAB_HEADERS) / 8 &+ SizeClass.count }

    @inline(__always)
    var words: UnsafeMutablePointer<UInt64> { pointer(UInt(address)) }

    /// Where the header of `sizeClass` is.
    @inline(__always)
    func headerWord(_ sizeClass: Int) -> UnsafeMutablePointer<UInt64> {
        words + (Int(PERCOLATE_SLAB_HEADERS) / 8 &+ sizeClass)
    }

    /// The header as it is at this moment: sections of other threads on the same CPU may change it at any time.
    @inline(__always)
    func header(_ sizeClass: Int) -> ClassHeader {
        ClassHeader(word: percolate_operand_load(UInt64(UInt(bitPattern: headerWord(sizeClass))), 8))
    }
}
