/// Runs of pages on their way to the kernel: what one thread takes out of the arena under one hold
/// of its lock.
struct ReleaseBatch {
    static var capacity: Int { 32 }

    private var first = InlineArray<32, UInt32>(repeating: 0)
    private var length = InlineArray<32, UInt32>(repeating: 0)
    /// Dirty pages of each run; the others are free and clean and lie between them.
    private var dirty = InlineArray<32, UInt32>(repeating: 0)
    /// Bit n says that run n lies in a chunk that had a huge page.
    private var huge: UInt64 = 0
    private(set) var count = 0
    /// Dirty pages of all runs.
    private(set) var pageCount = 0

    var isFull: Bool { count == Self.capacity }

    subscript(index: Int) -> Range<Int> {
        Int(first[index])..<(Int(first[index]) &+ Int(length[index]))
    }

    /// The run that `page` lies in.
    func run(around page: Int) -> Range<Int>? {
        for index in 0..<count where self[index].contains(page) { return self[index] }
        return nil
    }

    func wasHuge(_ index: Int) -> Bool { huge &>> UInt64(index) & 1 != 0 }

    func dirtyPages(_ index: Int) -> Int { Int(dirty[index]) }

    /// Adds a run with `count` dirty pages. One that ends where the last begins joins it, as one
    /// call of the kernel will do for both.
    mutating func append(_ pages: Range<Int>, dirty pageCount: Int, wasHuge: Bool) {
        self.pageCount &+= pageCount
        if count > 0, self.wasHuge(count &- 1) == wasHuge, Int(first[count &- 1]) == pages.upperBound {
            first[count &- 1] = UInt32(truncatingIfNeeded: pages.lowerBound)
            length[count &- 1] &+= UInt32(truncatingIfNeeded: pages.count)
            dirty[count &- 1] &+= UInt32(truncatingIfNeeded: pageCount)
            return
        }
        first[count] = UInt32(truncatingIfNeeded: pages.lowerBound)
        length[count] = UInt32(truncatingIfNeeded: pages.count)
        dirty[count] = UInt32(truncatingIfNeeded: pageCount)
        if wasHuge { huge |= 1 &<< UInt64(count) }
        count &+= 1
    }
}
