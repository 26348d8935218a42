import CPercolate
import Synchronization

/// The records of all blocks of the arena, found by address alone.
///
/// Blocks of 2^g bytes and more begin at least 2^g bytes apart, so `offset >> g` numbers them: one
/// array for each g, from 16 bytes to 32 KiB. A record costs 16 bytes for each 2^g bytes of blocks,
/// and only where blocks of that size are. The arrays are made for 2 MiB of the arena at a time,
/// when the first of its blocks is handed out, and stay.
struct RecordTable {
    /// For each 2 MiB: the address of its arrays, 0 until there are some.
    private var chunks = Table<Atomic<UInt>>()
    private var count = 0

    private static var chunkShift: UInt { 21 }
    static var smallestPower: UInt { 4 }
    /// All arrays of a chunk: 16 * 2 MiB * (2^-4 + 2^-5 + ... ), less than 4 MiB.
    private static var chunkSize: Int { 1 &<< 22 }

    /// The array for blocks of `size` bytes: g.
    @inline(__always)
    static func power(forBlocksOf size: UInt32) -> UInt { UInt(31 &- size.leadingZeroBitCount) }

    /// Where large blocks, which begin at pages, have theirs.
    static var pagePower: UInt { 12 }

    mutating func start(pages: Int) -> Bool {
        count = pages &>> Int(Self.chunkShift &- UInt(PERCOLATE_PAGE_SHIFT)) &+ 1
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let result = percolate_mmap(0, count &* 8, PROT_READ | PROT_WRITE, flags)
        guard result > 0 else { return false }
        chunks = Table(address: UInt(result))
        return true
    }

    /// The record of the block at `address`, which is in the arena; nil where there is none yet,
    /// and for blocks of 8 bytes, which a hardened process does not make.
    @inline(__always)
    func existing(_ address: UInt, _ power: UInt) -> UnsafeMutablePointer<BlockRecord>? {
        let offset = address &- arena.base
        guard chunks.address != 0, power >= Self.smallestPower,
            offset &>> Self.chunkShift < UInt(count)
        else { return nil }
        let arrays = chunks[Int(offset &>> Self.chunkShift)].pointee.load(ordering: .acquiring)
        return arrays == 0 ? nil : record(arrays, offset, power)
    }

    /// The same; makes it where there is none. Nil when there is no memory.
    func make(_ address: UInt, _ power: UInt) -> UnsafeMutablePointer<BlockRecord>? {
        if let record = existing(address, power) { return record }
        let offset = address &- arena.base
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let result = percolate_mmap(0, Self.chunkSize, PROT_READ | PROT_WRITE, flags)
        guard result > 0 else { return nil }
        _ = percolate_madvise(UInt(result), Self.chunkSize, MADV_NOHUGEPAGE)
        let (exchanged, other) = chunks[Int(offset &>> Self.chunkShift)].pointee.compareExchange(
            expected: 0, desired: UInt(result), ordering: .acquiringAndReleasing)
        if !exchanged { _ = percolate_munmap(UInt(result), Self.chunkSize) }
        return record(exchanged ? UInt(result) : other, offset, power)
    }

    /// The array of g begins at 2^22 - 2^(26 - g).
    @inline(__always)
    private func record(_ arrays: UInt, _ offset: UInt, _ power: UInt) -> UnsafeMutablePointer<
        BlockRecord
    > {
        let within = offset & (1 &<< Self.chunkShift &- 1)
        let array = 1 &<< 22 &- 1 &<< (26 &- power)
        return pointer(arrays &+ array &+ within &>> power &* BlockRecord.stride)
    }
}

/// The process's records. Written once, when the process becomes fully hardened.
nonisolated(unsafe) var records = RecordTable()
