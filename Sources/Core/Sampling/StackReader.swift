import CPercolate

/// Reads words of a stack that may be damaged, or not what it seems: no load faults.
///
/// The page of the calling function's frame is readable. Every other page is asked for once
/// (`percolate_is_readable`).
struct StackReader {
    /// Pages known to be readable, as one range of addresses.
    private var low: UInt
    private var high: UInt

    private static var page: UInt { 4096 }

    /// `frame` is an address in the caller's frame.
    init(frame: UInt) {
        low = frame & ~(Self.page &- 1)
        high = low &+ Self.page
    }

    /// The word at `address`; nil when it cannot be read.
    @inline(__always)
    mutating func word(at address: UInt) -> UInt? {
        if address >= low, address <= high &- 8 { return UInt(percolate_load64(address)) }
        return wordElsewhere(at: address)
    }

    @inline(never)
    private mutating func wordElsewhere(at address: UInt) -> UInt? {
        guard address & 7 == 0, address >= Self.page, percolate_is_readable(address) else { return nil }
        let page = address & ~(Self.page &- 1)
        if page == high {
            high = page &+ Self.page
        } else {
            low = page
            high = page &+ Self.page
        }
        return UInt(percolate_load64(address))
    }
}
