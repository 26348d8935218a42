import CPercolate
import Synchronization

/// The spans of one size class that have free blocks, of one shard.
///
/// Blocks enter and leave in batches. Spans are kept in bins by how full they are, and blocks are
/// taken from the fullest first, so that the emptier ones can drain and go back to the arena; a
/// span that becomes empty goes back at once. Where many CPUs are, a class has several shards: a
/// span stays in the shard that made it, CPUs allocate from their own.
///
/// Lock order: a central lock is taken with no other lock held but a slab gate's, and the arena's
/// is not taken inside it.
struct CentralList: ~Copyable {
    private let lockWord = Atomic<UInt>(0)
    /// First span of each bin. Bin 0 holds the fullest spans. A span without free blocks is in no
    /// bin.
    private var bins = InlineArray<8, SpanID>(repeating: 0)
    /// Free blocks of the spans: in all bins, and at rest.
    private(set) var freeBlocks = 0
    /// Spans of this shard, whether or not they have free blocks.
    private(set) var spanCount = 0
    /// Batches of the spans' blocks that rest. With it the list fills its cache line: neighbouring
    /// classes are locked by other CPUs.
    var transfer = TransferCache()

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

    /// Moves up to `count` free blocks out, those at rest first, then lowest addresses of the
    /// fullest spans first, to the addresses in front of `end` in descending order of storage.
    /// Returns how many.
    mutating func take(_ count: Int, before end: UnsafeMutablePointer<UInt64>, _ info: SizeClass) -> Int {
        var taken = takeResting(count, before: end)
        let rested = taken
        while taken < count {
            let id = fullest()
            if id == 0 { break }
            taken &+= takeFrom(id, count &- taken, before: end - taken, info)
            place(id, info)
        }
        freeBlocks &-= taken &- rested
        return taken
    }

    // MARK: Rest

    /// Most blocks that may rest now: an eighth of what the spans have handed out.
    @inline(__always)
    private func restLimit(_ info: SizeClass) -> Int {
        min((spanCount &* Int(info.spanBlocks) &- freeBlocks) / 8, TransferCache.capacity(info))
    }

    @inline(__always)
    func hasRoom(for count: Int, _ info: SizeClass) -> Bool { Int(transfer.count) &+ count <= restLimit(info) }

    /// Lets a batch of blocks of the spans rest. Whether there is room.
    mutating func rest(_ blocks: UnsafePointer<UInt64>, _ count: Int, _ info: SizeClass) -> Bool {
        guard hasRoom(for: count, info) else { return false }
        transfer.push(blocks, count)
        freeBlocks &+= count
        return true
    }

    /// Takes up to `count` of the blocks that rest.
    mutating func takeResting(_ count: Int, before end: UnsafeMutablePointer<UInt64>) -> Int {
        let taken = transfer.pop(count, before: end)
        freeBlocks &-= taken
        return taken
    }

    /// Takes up to `count` of the blocks that rest beyond what may.
    mutating func takeExcess(_ count: Int, before end: UnsafeMutablePointer<UInt64>, _ info: SizeClass) -> Int {
        takeResting(min(count, max(Int(transfer.count) &- restLimit(info), 0)), before: end)
    }

    // MARK: Spans

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

    /// Takes back those of the `count` blocks at `blocks` that come before the first block of
    /// another span than `id`: the span's record is looked up, and its place in the bins found,
    /// once for all of them.
    ///
    /// - Parameters:
    ///   - isEmpty: set when the span is empty now, and out of its bin: the caller frees it.
    ///   - lock: the list's.
    /// - Returns: how many blocks they are, 1 or more: the first block is one of the span's pages.
    @inline(__always)
    mutating func give(
        _ blocks: UnsafePointer<UInt64>, _ count: Int, _ id: SpanID, _ info: SizeClass, holding lock: Lock,
        isEmpty: inout Bool
    ) -> Int {
        let record = spans[id]
        let bits = spans.bits(id)
        let base = arena.address(Int(record.pointee.firstPage))
        let bytes = UInt(info.spanPages) &<< UInt(PERCOLATE_PAGE_SHIFT)
        var error: ProgrammerError?
        var given = 0
        while given < count {
            let offset = UInt(blocks[given]) &- base
            guard offset < bytes else { break }
            guard let index = info.block(at: offset) else {
                error = .interiorPointer
                break
            }
            let bit = UInt64(1) &<< UInt64(index & 63)
            let word = bits + (index &>> 6)
            guard word.pointee & bit == 0 else {
                error = .doubleFree
                break
            }
            word.pointee |= bit
            given &+= 1
        }
        record.pointee.free &+= UInt16(truncatingIfNeeded: given)
        freeBlocks &+= given
        if let error {
            place(id, info)
            error.report(UInt(blocks[given]), .block(Int(info.size)), releasing: lock)
        }
        guard record.pointee.free == record.pointee.blocks else {
            place(id, info)
            return given
        }
        remove(id)
        freeBlocks &-= Int(record.pointee.blocks)
        spanCount &-= 1
        record.pointee.isListed = false
        isEmpty = true
        return given
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

    /// Makes the list anew of the spans that belong to it, after a thread was lost in it. A span's
    /// bits are the truth: each is changed by one store, and says that a block is here and nowhere
    /// else; what rests is what the transfer cache counts. What the lost thread had taken out stays
    /// with it.
    mutating func rebuild(_ sizeClass: Int, shard: Int, _ info: SizeClass) {
        for bin in 0..<8 { bins[bin] = 0 }
        transfer.repair()
        freeBlocks = Int(transfer.count)
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
