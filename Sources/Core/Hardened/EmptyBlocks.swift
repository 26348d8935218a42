import CPercolate
import Synchronization

/// Blocks of no bytes: addresses that nobody may touch, each of its own, with a record apart.
///
/// Addresses are handed out in turn, so one that was freed comes back only after all others were.
/// Takes no lock.
struct EmptyBlocks {
    private var base: UInt = 0
    private var table = Table<BlockRecord>()

    /// Blocks that can exist at once. A power of two.
    private static var count: UInt { 1 << 18 }
    private static var spacing: UInt { 16 }
    private static var size: UInt { count &* spacing }

    mutating func start() -> Bool {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let entries = percolate_mmap(
            0, Int(Self.count &* BlockRecord.stride), PROT_READ | PROT_WRITE, flags)
        guard entries > 0, let memory = Reservation.reserve(Self.size) else { return false }
        table = Table(address: UInt(entries))
        base = memory.address
        return true
    }

    @inline(__always)
    func contains(_ address: UInt) -> Bool { base != 0 && address &- base < Self.size }

    /// The record of the block at `address`, which is among them; nil inside of one.
    func record(_ address: UInt) -> UnsafeMutablePointer<BlockRecord>? {
        let offset = address &- base
        return offset % Self.spacing == 0 ? table[Int(offset / Self.spacing)] : nil
    }

    /// A block at a multiple of `alignment`, a page at most; 0 when none was found.
    func allocate(alignment: Int) -> UInt {
        let step = max(UInt(alignment) / Self.spacing, 1)
        for _ in 0..<64 {
            let next = hardenedState.pointee.nextEmptyBlock.wrappingAdd(step, ordering: .relaxed)
            let ticket = next.oldValue
            let index = (ticket &+ step &- 1) & ~(step &- 1) & (Self.count &- 1)
            let record = table[Int(index)]
            let facts = record.pointee.facts
            guard facts.state != .live, facts.state != .busy else { continue }
            let new = BlockRecord.Facts(.live, size: 0, alignment: alignment)
            guard record.pointee.exchange(facts, for: new) else { continue }
            record.pointee.stamp()
            return base &+ index &* Self.spacing
        }
        return 0
    }
}
