import CPercolate

/// Blocks that rest between the caches of the CPUs and the spans of a central list: batches as
/// caches gave them up, for the next refill.
///
/// A batch that goes back to its spans is taken apart, a bit and a record for each block, and the
/// next refill puts one together again. Where one thread allocates and another frees, or the
/// members of a class come and go in waves, the same blocks take both ways over and over. Here a
/// batch is copied in, and out, and no record is touched.
///
/// **What may rest.** An eighth of what the list's spans have handed out, and 128 KiB. More than
/// that rests when the program's blocks became fewer: then a thread that comes with a batch takes
/// one out instead. So what rests keeps no spans of a class that the program does not use any more.
/// A batch rests in the list of its spans, or not at all: the list's counts are about its own
/// blocks, and blocks of less than a cache line go back to the CPU of their neighbours.
///
/// **What empties it.** The same as empties caches: trim, and every allocation that finds no
/// memory, take all; the scavenger takes what stayed throughout a tick; full hardening closes it
/// for good.
///
/// **What is true at any moment.** A block is the cache's when it lies below `count`. Blocks are
/// copied in before `count` says so, and out after it does not, so that a thread that is lost in
/// between (`Recovery`) takes at most the batch in its hands with it. Guarded by the list's lock;
/// where its words are does not change once it is known.
struct TransferCache {
    /// 1 more than the number of the part of `TransferMemory` that holds the blocks; 0 for none
    /// yet.
    private var part: UInt32 = 0
    private(set) var count: UInt16 = 0
    /// Fewest blocks since the scavenger's last tick: so many were not needed.
    private(set) var lowest: UInt16 = 0

    /// Where the part's number and the count are, for debuggers.
    mutating func fieldAddresses() -> (part: UInt, count: UInt) { (addressOf(&part), addressOf(&count)) }

    var hasMemory: Bool { part != 0 }

    /// Gives a cache that has no memory some, for ever.
    mutating func use(part number: UInt32) {
        if part == 0 { part = number &+ 1 }
    }

    private var words: UnsafeMutablePointer<UInt64> { TransferMemory.words(ofPart: part &- 1) }

    /// Most blocks that rest for a class.
    static func capacity(_ info: SizeClass) -> Int {
        min(TransferMemory.wordsOfPart, max(131072 / Int(info.size), Int(info.batch)))
    }

    mutating func push(_ blocks: UnsafePointer<UInt64>, _ number: Int) {
        (words + Int(count)).update(from: blocks, count: number)
        percolate_compiler_barrier()
        count &+= UInt16(truncatingIfNeeded: number)
    }

    /// Takes the newest blocks, up to `most`, to the addresses in front of `end`. Returns how many.
    mutating func pop(_ most: Int, before end: UnsafeMutablePointer<UInt64>) -> Int {
        let taken = min(most, Int(count))
        guard taken > 0 else { return 0 }
        count &-= UInt16(truncatingIfNeeded: taken)
        lowest = min(lowest, count)
        percolate_compiler_barrier()
        (end - taken).update(from: words + Int(count), count: taken)
        return taken
    }

    /// Begins a period of the scavenger.
    mutating func beginPeriod() { lowest = count }

    /// After a thread was lost: `count` says what is here.
    mutating func repair() { lowest = min(lowest, count) }
}

/// The words of the transfer caches. Only lists whose class is much used get some.
enum TransferMemory {
    /// Blocks that one list has room for.
    static var wordsOfPart: Int { 512 }
    private static var bytesOfPart: UInt { UInt(wordsOfPart) &* 8 }

    /// Guarded by the lock of growth.
    struct State {
        var memory: Reservation
        /// Parts that lists have.
        var used: UInt32
        /// Whether the kernel refused memory once: then nothing rests in lists that have none.
        var isRefused: Bool
    }

    @inline(__always)
    static var state: UnsafeMutablePointer<State> { pinned(&middleState.pointee.transferMemory) }

    /// Where the address of part 0 is kept, for debuggers.
    static func addressOfStart() -> UInt { addressOf(&state.pointee.memory.address) }

    static func words(ofPart number: UInt32) -> UnsafeMutablePointer<UInt64> {
        pointer(state.pointee.memory.address &+ UInt(number) &* bytesOfPart)
    }

    /// A part for a list; nil when there is none now. Not with a list's lock: it makes system
    /// calls.
    static func makePart(lists: Int) -> UInt32? {
        guard !state.pointee.isRefused, growthLock.acquire() == .entered else { return nil }
        defer { growthLock.release() }
        if state.pointee.memory.address == 0 {
            // Twice as many parts as lists: two threads may ask for one list at once.
            guard let reserved = Reservation.reserve(UInt(2 &* lists) &* bytesOfPart) else {
                state.pointee.isRefused = true
                return nil
            }
            state.pointee.memory = reserved
        }
        let number = state.pointee.used
        let bytes = UInt(number &+ 1) &* bytesOfPart
        guard state.pointee.memory.commit(bytes, step: bytesOfPart) else {
            state.pointee.isRefused = true
            return nil
        }
        state.pointee.used = number &+ 1
        return number
    }
}
