/// The pages of one huge-page-sized region of the arena: 512 pages, 2 MiB.
///
/// Two bits a page say its state, and one bit is for all:
///
///     free  dirty
///      0     0     not committed
///      0     1     in use, or in the hands of the releasing thread
///      1     0     free and clean: it reads as zero and costs no memory
///      1     1     free and dirty: it may be resident and hold old bytes
///
/// Guarded by the arena's lock.
struct Chunk {
    static var pages: Int { 512 }
    static var words: Int { 8 }

    /// The chunk's bits: 8 words of `free`, 8 words of `dirty`, 1 word that is not 0 while it is
    /// `isHuge`.
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

    /// Pages that are free and dirty.
    var residentPages: Int {
        var sum = 0
        for index in 0..<Self.words { sum &+= (bits[index] & bits[Self.words &+ index]).nonzeroBitCount }
        return sum
    }

    /// Marks every free page as dirty. How many were clean.
    func markFreeDirty() -> Int {
        var sum = 0
        for index in 0..<Self.words {
            sum &+= (bits[index] & ~bits[Self.words &+ index]).nonzeroBitCount
            bits[Self.words &+ index] |= bits[index]
        }
        return sum
    }

    /// 512 bits in memory.
    struct Bits {
        fileprivate let words: UnsafeMutablePointer<UInt64>

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
            if range.count == Chunk.pages { return fill(~0) }
            for index in (range.lowerBound &>> 6)...((range.upperBound &- 1) &>> 6) {
                words[index] |= Self.mask(index, range)
            }
        }

        /// All words at once: the chunks inside a large block are many.
        private func fill(_ word: UInt64) {
            for index in 0..<Chunk.words { words[index] = word }
        }

        func clear(_ range: Range<Int>) {
            if range.count == Chunk.pages { return fill(0) }
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

        /// The last position in `range` whose bit is set; one below the range when there is none.
        func last(in range: Range<Int>) -> Int {
            var index = (range.upperBound &- 1) &>> 6
            while index >= range.lowerBound &>> 6 {
                let word = words[index] & Self.mask(index, range)
                if word != 0 { return index &* 64 &+ 63 &- word.leadingZeroBitCount }
                index &-= 1
            }
            return range.lowerBound &- 1
        }

        /// The first position of the run of set bits that ends with `last`.
        func startOfRun(endingWith last: Int) -> Int { Chunk.startOfRun(endingWith: last) { words[$0] } }

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

    /// The last `count` pages that are free and lie in a row that ends at a multiple of `alignment`
    /// pages; nil when there are none.
    func lastFree(_ count: Int, alignment: Int) -> Range<Int>? {
        var end = Self.pages
        while end >= count {
            let last = free.last(in: 0..<end)
            guard last >= 0 else { return nil }
            let start = free.startOfRun(endingWith: last)
            end = (last &+ 1) & ~(alignment &- 1)
            if end &- start >= count { return (end &- count)..<end }
            end = start
        }
        return nil
    }

    /// The last run of free pages with at least `shortest` dirty ones in a row; nil when there is
    /// none. It begins and ends with a dirty page; clean ones in between cost the kernel less than
    /// a call of their own.
    func lastReleasable(shortest: Int) -> Range<Int>? {
        var end = Self.pages
        while let last = lastBoth(below: end) {
            let start = Self.startOfRun(endingWith: last) { bits[$0] & bits[Self.words &+ $0] }
            if last &+ 1 &- start >= shortest { return widen(start..<(last &+ 1)) }
            end = start
        }
        return nil
    }

    /// The dirty pages from the first to the last of the run of free pages around `pages`.
    private func widen(_ pages: Range<Int>) -> Range<Int> {
        let end = free.first(false, from: pages.upperBound)
        let start = free.startOfRun(endingWith: pages.lowerBound)
        return dirty.first(true, from: start)..<(dirty.last(in: pages.lowerBound..<end) &+ 1)
    }

    /// The first page of the run of ones that ends with page `last`, in the bits whose words `word`
    /// gives.
    @inline(__always)
    private static func startOfRun(endingWith last: Int, _ word: (Int) -> UInt64) -> Int {
        var index = last &>> 6
        var mask = ~UInt64(0) &>> UInt64(63 &- last & 63)
        while index >= 0 {
            let zeroes = ~word(index) & mask
            if zeroes != 0 { return index &* 64 &+ 64 &- zeroes.leadingZeroBitCount }
            mask = ~0
            index &-= 1
        }
        return 0
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

    /// Pages that must be free in a chunk with a huge page before a part of it is released.
    ///
    /// A release takes the huge page apart for good. While most of the chunk is in use, its free
    /// pages wait for the next allocation instead.
    static var breakingPoint: Int { pages / 2 }

    /// The runs of free pages, as the tree of summaries keeps them.
    func summary() -> FreeRuns { uniformSummary() ?? countedSummary() }

    /// The same of a chunk whose pages are in one state, as those inside large blocks are.
    private func uniformSummary() -> FreeRuns? {
        let free = bits[0]
        let dirty = bits[Self.words]
        guard free == 0 || free == ~0, dirty == 0 || dirty == ~0 else { return nil }
        var differences: UInt64 = 0
        for index in 1..<Self.words {
            differences |= (bits[index] ^ free) | (bits[Self.words &+ index] ^ dirty)
        }
        guard differences == 0 else { return nil }
        let pages = UInt32(truncatingIfNeeded: Self.pages)
        let run = free == 0 ? 0 : pages
        return FreeRuns(start: run, longest: run, end: run, releasable: dirty == 0 ? 0 : run)
    }

    private func countedSummary() -> FreeRuns {
        var free = RunLengths()
        var clean: UInt64 = 0
        for index in 0..<Self.words {
            free.append(bits[index])
            clean |= bits[index] & ~bits[Self.words &+ index]
        }
        let end = free.end()
        let isWhole = isHuge && self.free.count(in: 0..<Self.pages) <= Self.breakingPoint
        let releasable = isWhole ? 0 : clean == 0 ? free.longest : longestReleasable()
        return FreeRuns(start: free.start, longest: free.longest, end: end, releasable: releasable)
    }

    private func longestReleasable() -> UInt32 {
        var runs = RunLengths()
        for index in 0..<Self.words { runs.append(bits[index] & bits[Self.words &+ index]) }
        _ = runs.end()
        return runs.longest
    }
}
