import CPercolate
import Synchronization

/// One byte for each 16 bytes of the arena, of which the one at the start of a small block says
/// whether the block is handed out: what `free` looks at under `hardened=basic`.
///
/// The owner of a block is the only one who may write its byte, so the fast path needs no atomic
/// operation: `malloc` writes it after the block left the cache, `free` before the block goes
/// there. Blocks that enter a cache from below are marked `free` first. A byte of 0 says nothing:
/// the block was handed out before the process was hardened, or the address is none of a block's;
/// then the span is looked up. Blocks of 8 bytes would share a byte: none are made any more, and
/// old ones are looked up.
struct Marks {
    static var live: UInt8 { UInt8(PERCOLATE_MARK_LIVE) }
    static var free: UInt8 { UInt8(PERCOLATE_MARK_FREE) }
    private static var granule: UInt { 1 << UInt(PERCOLATE_MARK_SHIFT) }

    private var memory = Reservation()

    /// The lock of growth is held, here and in `grow`, or the process has one thread.
    mutating func start(pages: Int) -> Bool {
        guard let memory = Reservation.reserve(Self.size(pages)) else { return false }
        self.memory = memory
        guard grow(toPages: publishedPages) else {
            _ = percolate_munmap(memory.address, Int(memory.size))
            self.memory = Reservation()
            return false
        }
        front.marks = UInt64(memory.address &- arena.base / Self.granule)
        return true
    }

    private static func size(_ pages: Int) -> UInt {
        UInt(pages) &<< UInt(PERCOLATE_PAGE_SHIFT) / granule
    }

    /// Makes the bytes of the first `pages` pages usable.
    mutating func grow(toPages pages: Int) -> Bool {
        memory.size == 0 || memory.commit(Self.size(pages))
    }

    @inline(__always)
    private func cell(_ block: UInt) -> UnsafeMutablePointer<Atomic<UInt8>> {
        pointer(memory.address &+ (block &- arena.base) / Self.granule)
    }

    /// What is known of the block at `block`, which is in the arena.
    func value(_ block: UInt) -> UInt8 { cell(block).pointee.load(ordering: .relaxed) }

    func set(_ block: UInt, _ value: UInt8) { cell(block).pointee.store(value, ordering: .relaxed) }

    /// Marks a block free. False when it was marked so.
    func free(_ block: UInt) -> Bool {
        cell(block).pointee.exchange(Self.free, ordering: .relaxed) != Self.free
    }
}
