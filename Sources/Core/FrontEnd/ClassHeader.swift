/// The header of one size class in a slab, as a value: where the class's array of pointers begins
/// and ends, and how far it is filled. Positions count pointers from the start of the slab. It is
/// compared and stored as one 8-byte word.
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

    /// `word` after `count` blocks were pushed, or popped where it is negative: `current` is the
    /// lowest field, and stays in its range.
    @inline(__always)
    static func word(_ word: UInt64, movedBy count: Int) -> UInt64 { word &+ UInt64(bitPattern: Int64(count)) }

    var capacity: Int { end &- begin }
    /// Free blocks in the cache.
    var count: Int { current &- begin }
    var room: Int { end &- current }
}
