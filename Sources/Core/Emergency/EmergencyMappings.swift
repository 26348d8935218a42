import CPercolate
import Synchronization

/// Blocks that the emergency region has no room for: each a mapping of its own, listed in a few
/// slots behind the region. Takes no lock.
enum EmergencyMappings {
    /// A mapping, in bytes; block 0 is a free slot, 1 one that is being filled.
    private struct Slot: ~Copyable {
        let block: Atomic<UInt>
        let start: Atomic<UInt>
        let size: Atomic<UInt>
    }

    private static var slotCount: Int { Int(PERCOLATE_EMERGENCY_SLOTS_SIZE) / MemoryLayout<Slot>.stride }
    @inline(__always)
    private static var used: Int {
        emergencyState.pointee.mappings.load(ordering: .relaxed)
    }
    private static var slots: UnsafeMutablePointer<Slot> {
        pointer(EmergencyRegion.address &+ EmergencyRegion.size)
    }
    /// More than any process has addresses for.
    private static var largest: Int { 1 << 60 }

    /// A block of `count` bytes at a multiple of `alignment`; 0 when the kernel or the slots have
    /// no more.
    static func allocate(_ count: Int, alignment: Int) -> UInt {
        let slack = max(alignment, 4096)
        guard count <= largest, slack <= largest else { return 0 }
        let size = roundUp(UInt(count &+ slack), 4096)
        for index in 0..<slotCount {
            let slot = slots + index
            guard slot.pointee.block.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged else {
                continue
            }
            let start = percolate_mmap(0, Int(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
            guard start > 0 else {
                slot.pointee.block.store(0, ordering: .releasing)
                return 0
            }
            emergencyState.pointee.mappings.wrappingAdd(1, ordering: .relaxed)
            let block = roundUp(UInt(start), UInt(max(alignment, 4096)))
            slot.pointee.start.store(UInt(start), ordering: .relaxed)
            slot.pointee.size.store(size, ordering: .relaxed)
            slot.pointee.block.store(block, ordering: .releasing)
            return block
        }
        return 0
    }

    private static func slot(of block: UInt) -> UnsafeMutablePointer<Slot>? {
        guard used > 0, block > 1 else { return nil }
        for index in 0..<slotCount where slots[index].block.load(ordering: .acquiring) == block { return slots + index }
        return nil
    }

    @inline(__always)
    static func contains(_ block: UInt) -> Bool { slot(of: block) != nil }

    /// Bytes from the block to the end of its mapping; 0 when the block is none of these.
    static func usableSize(_ block: UInt) -> Int {
        guard let slot = slot(of: block) else { return 0 }
        return Int(slot.pointee.start.load(ordering: .relaxed) &+ slot.pointee.size.load(ordering: .relaxed) &- block)
    }

    static func free(_ block: UInt) {
        guard let slot = slot(of: block) else { return }
        let start = slot.pointee.start.load(ordering: .relaxed)
        let size = slot.pointee.size.load(ordering: .relaxed)
        guard slot.pointee.block.compareExchange(expected: block, desired: 1, ordering: .acquiring).exchanged else {
            return
        }
        _ = percolate_munmap(start, Int(size))
        emergencyState.pointee.mappings.wrappingSubtract(1, ordering: .relaxed)
        slot.pointee.block.store(0, ordering: .releasing)
    }
}
