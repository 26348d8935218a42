import CPercolate

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

    /// The header as it is at this moment: sections of other threads on the same CPU may change it
    /// at any time.
    @inline(__always)
    func header(_ sizeClass: Int) -> ClassHeader {
        ClassHeader(word: percolate_operand_load(UInt64(UInt(bitPattern: headerWord(sizeClass))), 8))
    }
}
