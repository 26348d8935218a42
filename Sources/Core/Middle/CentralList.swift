import CPercolate
import Synchronization

/// The spans of one size class that have free blocks, of one shard.
///
/// Blocks enter and leave in batches. Spans are kept in bins by how full they are, and blocks are taken from the fullest first, so
/// that the emptier ones can drain and go back to the arena; a span that becomes empty goes back at once. Where many CPUs
/// are, a class has several shards: a span stays in the shard that made it, CPUs allocate from their own.
///
/// Lock order: a central lock is taken with no other lock held but a slab gate's, and the arena's is not taken inside it.
struct CentralList: ~Copyable {
    private let lockWord = Atomic<UInt>(0)
    /// First span of each bin. Bin 0 holds the fullest spans. A span without free blocks is in no bin.
    private var bins = InlineArray<8, SpanID>(repeating: 0)
    /// Free blocks in all bins.
    private(set) var freeBlocks = 0
    /// Spans of this shard, whether or not they have free blocks.
    private(set) var spanCount = 0
    /// Fills the cache line: neighbouring classes are locked by other CPUs.
    private var padding: UInt64 = 0

    static var noBin: UInt8 { 255 }

    /// Where the counts are, for observers.
    mutating func countAddresses() -> (spans: UInt, freeBlocks: UInt) {
        (addressOf(&spanCount), addressOf(&freeBlocks))
    }

    /// Puts a span into the bin that fits it, or out of all bins.
    @inline(__always)
    private mutating func place(_ id: SpanID, _ info: SizeClass) {
        let record = spans[id]
        let free = Int(record.pointee.free)
        let bin = free == 0 ? Self.noBin : info.bin(free: free)
        if bin != record.pointee.bin { move(id, to: bin) }
    }

    @inline(never)
    private mutating func move(_ id: SpanID, to bin: UInt8) {
        remove(id)
        guard bin != Self.noBin else { return }
        let record = spans[id]
        record.pointee.bin = bin
        let head = bins[Int(bin)]
        record.pointee.next = head
        record.pointee.previous = 0
        if head != 0 { spans[head].pointee.previous = id }
        bins[Int(bin)] = id
    }

    /// Takes a span out of its bin.
    private mutating func remove(_ id: SpanID) {
        let record = spans[id]
        guard record.pointee.bin != Self.noBin else { return }
        let next = record.pointee.next
        let previous = record.pointee.previous
        if next != 0 { spans[next].pointee.previous = previous }
        if previous != 0 { spans[previous].pointee.next = next } else { bins[Int(record.pointee.bin)] = next }
        record.pointee.bin = Self.noBin
    }

    /// The fullest span that has free blocks; 0 when none has.
    func fullest() -> SpanID {
        for bin in 0..<8 where bins[bin] != 0 { return bins[bin] }
        return 0
    }

    /// Moves up to `count` free blocks out, lowest addresses of the fullest spans first, to the addresses in front of `end`
    /// in descending order of storage. Returns how many.
    mutating func take(_ count: Int, before end: UnsafeMutablePointer<UInt64>, _ info: SizeClass) -> Int {
        var taken = 0
        while taken < count {
            let id = fullest()
            if id == 0 { break }
            taken &+= takeFrom(id, count &- taken, before: end - taken, info)
            place(id, info)
        }
        freeBlocks &-= taken
        return taken
    }

    private func takeFrom(
        _ id: SpanID, _ count: Int, before end: UnsafeMutablePointer<UInt64>, _ info: SizeClass
    ) -> Int {
        let record = spans[id]
        let bits = spans.bits(id)
        let base = UInt64(arena.address(Int(record.pointee.firstPage)))
        let size = UInt64(info.size)
        let wanted = min(count, Int(record.pointee.free))
        var left = wanted
        var cell = end
        var word = 0
        while left > 0 {
            var set = bits[word]
            while set != 0, left > 0 {
                // A run of neighbours: a span that is new or was long unused consists of few.
                let first = set.trailingZeroBitCount
                let run = min((~(set &>> UInt64(first))).trailingZeroBitCount, left)
                set &= ~((UInt64.max &>> UInt64(64 &- run)) &<< UInt64(first))
                left &-= run
                var address = base &+ UInt64(word &* 64 &+ first) &* size
                let last = cell - run
                while cell != last {
                    cell -= 1
                    cell.pointee = address
                    address &+= size
                }
            }
            bits[word] = set
            word &+= 1
        }
        record.pointee.free &-= UInt16(truncatingIfNeeded: wanted)
        return wanted
    }

    /// Takes block `address` of span `id` back. Whether the span is empty now, and out of its bin: the caller frees it. `lock` is the list's.
    @inline(__always)
    mutating func give(_ address: UInt64, _ id: SpanID, _ info: SizeClass, holding lock: Lock) -> Bool {
        let record = spans[id]
        let offset = UInt(address) &- arena.address(Int(record.pointee.firstPage))
        guard let index = info.block(at: offset) else {
            ProgrammerError.interiorPointer.report(UInt(address), .block(Int(info.size)), releasing: lock)
        }
        let bit = UInt64(1) &<< UInt64(index & 63)
        let word = spans.bits(id) + (index &>> 6)
        guard word.pointee & bit == 0 else {
            ProgrammerError.doubleFree.report(UInt(address), .block(Int(info.size)), releasing: lock)
        }
        word.pointee |= bit
        record.pointee.free &+= 1
        freeBlocks &+= 1
        guard record.pointee.free == record.pointee.blocks else {
            place(id, info)
            return false
        }
        remove(id)
        freeBlocks &-= Int(record.pointee.blocks)
        spanCount &-= 1
        record.pointee.isListed = false
        return true
    }

    /// Whether block `address` of span `id` is in the middle tier.
    func isFree(_ address: UInt64, _ id: SpanID, _ info: SizeClass) -> Bool {
        guard let index = info.block(at: UInt(address) &- arena.address(Int(spans[id].pointee.firstPage))) else {
            return false
        }
        return spans.bits(id)[index &>> 6] &>> UInt64(index & 63) & 1 != 0
    }

    /// Adds a span all of whose blocks are free.
    mutating func add(_ id: SpanID, _ info: SizeClass) {
        let record = spans[id]
        record.pointee.blocks = info.spanBlocks
        record.pointee.free = info.spanBlocks
        record.pointee.bin = Self.noBin
        let bits = spans.bits(id)
        for word in 0..<8 {
            let left = Int(info.spanBlocks) &- word &* 64
            bits[word] = left >= 64 ? ~0 : left > 0 ? (UInt64(1) &<< UInt64(left)) &- 1 : 0
        }
        record.pointee.isListed = true
        freeBlocks &+= Int(info.spanBlocks)
        spanCount &+= 1
        place(id, info)
    }

    /// Makes the list anew of the spans that belong to it, after a thread was lost in it. A span's bits are the truth: each is changed by
    /// one store, and says that a block is here and nowhere else. What the lost thread had taken out stays with it.
    mutating func rebuild(_ sizeClass: Int, shard: Int, _ info: SizeClass) {
        for bin in 0..<8 { bins[bin] = 0 }
        freeBlocks = 0
        spanCount = 0
        for id in spans.recordNumbers {
            let record = spans[id]
            guard record.pointee.kind == .small, record.pointee.isListed, Int(record.pointee.sizeClass) == sizeClass,
                Int(record.pointee.shard) == shard
            else { continue }
            let bits = spans.bits(id)
            var free = 0
            for word in 0..<8 { free &+= bits[word].nonzeroBitCount }
            record.pointee.blocks = info.spanBlocks
            record.pointee.free = UInt16(truncatingIfNeeded: free)
            record.pointee.bin = Self.noBin
            freeBlocks &+= free
            spanCount &+= 1
            place(id, info)
        }
    }
}
