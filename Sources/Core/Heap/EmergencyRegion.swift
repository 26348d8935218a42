import CPercolate
import Synchronization

/// A small region that serves signal handlers which interrupted the allocator, and calls during start-up. It takes no lock.
///
/// One word says how far the region is used and how many blocks are alive; when the last block is freed, the region is empty again.
/// The 16 bytes in front of a block hold its size.
struct EmergencyRegion {
    static let pages = 64

    private(set) var address: UInt = 0
    private var size: UInt { UInt(Self.pages) &<< UInt(PERCOLATE_PAGE_SHIFT) }

    /// Low half: bytes used. High half: blocks alive.
    private static let state = Atomic<UInt64>(0)

    mutating func place(at address: UInt) { self.address = address }

    func contains(_ block: UInt) -> Bool { address != 0 && block &- address < size }

    /// A block of `count` bytes at a multiple of `alignment`; 0 when the region is full.
    func allocate(_ count: Int, alignment: Int) -> UInt {
        guard address != 0, count <= Int(size) else { return 0 }
        var seen = Self.state.load(ordering: .relaxed)
        while true {
            let used = UInt(seen & 0xffff_ffff)
            let block = roundUp(address &+ used &+ 16, UInt(max(alignment, 16)))
            let end = roundUp(block &+ UInt(count) &- address, 16)
            guard end <= size else { return 0 }
            let wanted = (seen &>> 32 &+ 1) &<< 32 | UInt64(end)
            let (exchanged, original) = Self.state.compareExchange(
                expected: seen, desired: wanted, ordering: .acquiringAndReleasing)
            if exchanged {
                let header: UnsafeMutablePointer<Int> = pointer(block &- 16)
                header.pointee = count
                tally(.emergencyAllocations, at: 0)
                return block
            }
            seen = original
        }
    }

    func usableSize(_ block: UInt) -> Int {
        let header: UnsafeMutablePointer<Int> = pointer(block &- 16)
        return header.pointee
    }

    func free(_ block: UInt) {
        var seen = Self.state.load(ordering: .relaxed)
        while true {
            let alive = seen &>> 32
            guard alive > 0 else { ProgrammerError.doubleFree.report(block, blockSize: usableSize(block)) }
            let wanted = alive == 1 ? 0 : (alive &- 1) &<< 32 | seen & 0xffff_ffff
            let (exchanged, original) = Self.state.compareExchange(
                expected: seen, desired: wanted, ordering: .acquiringAndReleasing)
            if exchanged { return }
            seen = original
        }
    }
}
