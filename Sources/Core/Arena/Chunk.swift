/// The pages of one huge-page-sized region of the arena: 512 pages, 2 MiB.
///
/// Two bits a page, and one for all. `free`: nobody uses it. `dirty`: it was handed out since it was last released, so it may be resident and may
/// hold old bytes; a page that is not dirty reads as zero and costs no memory. Pages beyond the committed part are neither. Guarded by
/// the arena's lock.
struct Chunk {
    static var pages: Int { 512 }
    static var words: Int { 8 }

    /// The chunk's bits: 8 words of `free`, 8 words of `dirty`, 1 word that is not 0 while the chunk is `isHuge`.
    private let bits: UnsafeMutablePointer<UInt64>

    init(_ bits: UnsafeMutablePointer<UInt64>) { self.bits = bits }

    /// Bytes of metadata per chunk.
    static var stride: Int { 136 }

    var free: Bits { Bits(words: bits) }
    var dirty: Bits { Bits(words: bits + Self.words) }

    /// Whether the kernel may back the chunk by one huge page.
    var isHuge: Bool {
        get { bits[2 &* Self.words] != 0 }
        nonmutating set { bits[2 &* Self.words] = newValue ? 1 : 0 }
    }

    /// 512 bits in memory.
    struct Bits {
        fileprivate let words: UnsafeMutablePointer<UInt64>

        func word(_ index: Int) -> UInt64 { words[index] }

        subscript(page: Int) -> Bool { words[page &>> 6] &>> UInt64(page & 63) & 1 != 0 }

        /// The bits of word `index` that lie in `range`.
        @inline(__always)
        private static func mask(_ index: Int, _ range: Range<Int>) -> UInt64 {
            let low = max(range.lowerBound &- index &* 64, 0)
            let high = min(range.upperBound &- index &* 64, 64)
            let ones = high &- low == 64 ? ~0 : (UInt64(1) &<< UInt64(high &- low)) &- 1
            return ones &<< UInt64(low)
        }

        func set(_ range: Range<Int>) {
            for index in (range.lowerBound &>> 6)...((range.upperBound &- 1) &>> 6) {
                words[index] |= Self.mask(index, range)
            }
        }

        func clear(_ range: Range<Int>) {
            for index in (range.lowerBound &>> 6)...((range.upperBound &- 1) &>> 6) {
                words[index] &= ~Self.mask(index, range)
            }
        }

        /// How many bits of `range` are set.
        func count(in range: Range<Int>) -> Int {
            var sum = 0
            for index in (range.lowerBound &>> 6)...((range.upperBound &- 1) &>> 6) {
                sum &+= (words[index] & Self.mask(index, range)).nonzeroBitCount
            }
            return sum
        }

        /// The first position at or after `start` whose bit is `value`; 512 when there is none.
        func first(_ value: Bool, from start: Int) -> Int {
            var position = start
            while position < Chunk.pages {
                let word = value ? words[position &>> 6] : ~words[position &>> 6]
                let rest = word &>> UInt64(position & 63)
                if rest != 0 { return position &+ rest.trailingZeroBitCount }
                position = (position | 63) &+ 1
            }
            return Chunk.pages
        }
    }

    /// First page of the lowest run of at least `count` free pages; nil when there is none.
    func firstFree(_ count: Int) -> Int? {
        var start = free.first(true, from: 0)
        while start < Self.pages {
            let end = free.first(false, from: start)
            if end &- start >= count { return start }
            start = free.first(true, from: end)
        }
        return nil
    }

    /// The last run of at least `shortest` pages that are free and dirty and lie below `bound`; nil when there is none.
    func lastReleasable(below bound: Int, shortest: Int) -> Range<Int>? {
        var end = bound
        while let last = lastBoth(below: end) {
            var start = last
            while start > 0, free[start &- 1], dirty[start &- 1] { start &-= 1 }
            if last &+ 1 &- start >= shortest { return start..<(last &+ 1) }
            end = start
        }
        return nil
    }

    /// The last page below `bound` that is free and dirty.
    private func lastBoth(below bound: Int) -> Int? {
        var word = (bound &- 1) &>> 6
        guard word >= 0 else { return nil }
        var mask = ~UInt64(0) &>> UInt64(63 &- (bound &- 1) & 63)
        while word >= 0 {
            let both = bits[word] & bits[Self.words &+ word] & mask
            if both != 0 { return word &* 64 &+ 63 &- both.leadingZeroBitCount }
            mask = ~0
            word &-= 1
        }
        return nil
    }

    /// The runs of free pages, as the tree of summaries keeps them.
    func summary() -> FreeRuns {
        var result = FreeRuns()
        var run: UInt32 = 0
        var prefix = true
        var both: UInt64 = 0
        for index in 0..<Self.words {
            let word = bits[index]
            both |= word & bits[Self.words &+ index]
            if word == ~0 {
                run &+= 64
                continue
            }
            let low = UInt32((~word).trailingZeroBitCount)
            run &+= low
            if prefix {
                result.start = run
                prefix = false
            }
            result.longest = max(result.longest, run)
            var runs = word
            var length: UInt32 = 0
            while runs != 0 {
                runs &= runs &<< 1
                length &+= 1
            }
            result.longest = max(result.longest, length)
            run = UInt32((~word).leadingZeroBitCount)
        }
        if prefix { result.start = run }
        result.longest = max(result.longest, run)
        result.end = run
        result.isReleasable = both != 0
        return result
    }
}

/// Runs of free pages in a node of the tree: at its start, the longest anywhere, and at its end. In pages.
struct FreeRuns: Equatable {
    var start: UInt32 = 0
    var longest: UInt32 = 0
    var end: UInt32 = 0
    /// Whether some page is free and dirty.
    var isReleasable = false
}
