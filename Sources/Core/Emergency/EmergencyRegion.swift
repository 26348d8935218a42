import CPercolate
import Synchronization

/// A small region, behind the other state of the heap, that serves whoever cannot wait for a lock:
/// signal handlers which interrupted the allocator, and calls during start-up.
///
/// One word says how far the region is used and how many blocks are alive; when the last block is
/// freed, the region is empty again. The 16 bytes in front of a block hold its size. Takes no lock.
enum EmergencyRegion {
    static var size: UInt { UInt(PERCOLATE_EMERGENCY_SIZE) }

    @inline(__always)
    static var address: UInt { heapAddress &+ UInt(PERCOLATE_STATE_SIZE) }

    @inline(__always)
    static func contains(_ block: UInt) -> Bool { block &- address < size }

    /// A block of `count` bytes at a multiple of `alignment`; 0 when the region has no room.
    static func allocate(_ count: Int, alignment: Int) -> UInt {
        let start = address
        var seen = emergencyState.pointee.region.load(ordering: .relaxed)
        while true {
            let used = UInt(seen & 0xffff_ffff)
            let block = roundUp(start &+ used &+ 16, UInt(max(alignment, 16)))
            guard count <= Int(size), block &- start <= size else { return 0 }
            let end = roundUp(block &+ UInt(count) &- start, 16)
            guard end <= size else { return 0 }
            let wanted = (seen &>> 32 &+ 1) &<< 32 | UInt64(end)
            let (exchanged, original) = emergencyState.pointee.region.compareExchange(
                expected: seen, desired: wanted, ordering: .acquiringAndReleasing)
            if exchanged {
                sizeCell(block).pointee = count
                return block
            }
            seen = original
        }
    }

    private static func sizeCell(_ block: UInt) -> UnsafeMutablePointer<Int> { pointer(block &- 16) }

    static func usableSize(_ block: UInt) -> Int { sizeCell(block).pointee }

    static func free(_ block: UInt) {
        var seen = emergencyState.pointee.region.load(ordering: .relaxed)
        while true {
            let alive = seen &>> 32
            guard alive > 0 else { ProgrammerError.doubleFree.report(block, .block(usableSize(block))) }
            let wanted = alive == 1 ? 0 : (alive &- 1) &<< 32 | seen & 0xffff_ffff
            let (exchanged, original) = emergencyState.pointee.region.compareExchange(
                expected: seen, desired: wanted, ordering: .acquiringAndReleasing)
            if exchanged { return }
            seen = original
        }
    }
}
