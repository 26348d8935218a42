import CPercolate
import Synchronization

/// The records of all blocks of the arena, found by address alone.
///
/// Blocks of 2^g bytes and more begin at least 2^g bytes apart, so `offset >> g` numbers them: one
/// array for each g, from 16 bytes to 32 KiB. A record costs 16 bytes for each 2^g bytes of blocks.
/// An array covers 2 MiB of the arena, is made when the first block of its g there is handed out,
/// and stays.
struct RecordTable {
    /// For each 2 MiB: the address of the directory of its arrays, 0 until there is one.
    private var directories = Table<Atomic<UInt>>()
    private var count = 0

    private static var chunkShift: UInt { 21 }
    static var smallestPower: UInt { 4 }
    /// A page: one address for each g.
    private static var directorySize: Int { 4096 }

    /// The array for blocks of `size` bytes: g.
    @inline(__always)
    static func power(forBlocksOf size: UInt32) -> UInt { UInt(31 &- size.leadingZeroBitCount) }

    /// Where large blocks, which begin at pages, have theirs.
    static var pagePower: UInt { 12 }

    /// Bytes of an array: whole pages.
    private static func arraySize(_ power: UInt) -> Int {
        max(Int(BlockRecord.stride) &<< Int(chunkShift &- power), directorySize)
    }

    mutating func start(pages: Int) -> Bool {
        count = pages &>> Int(Self.chunkShift &- UInt(PERCOLATE_PAGE_SHIFT)) &+ 1
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let result = percolate_mmap(0, count &* 8, PROT_READ | PROT_WRITE, flags)
        guard result > 0 else { return false }
        directories = Table(address: UInt(result))
        return true
    }

    /// The record of the block at `address`, which is in the arena; nil where there is none yet,
    /// and for blocks of 8 bytes, which a hardened process does not make.
    @inline(__always)
    func existing(_ address: UInt, _ power: UInt) -> UnsafeMutablePointer<BlockRecord>? {
        let offset = address &- arena.base
        guard directories.address != 0, power >= Self.smallestPower,
            offset &>> Self.chunkShift < UInt(count)
        else { return nil }
        let directory = directories[Int(offset &>> Self.chunkShift)].pointee.load(ordering: .acquiring)
        guard directory != 0 else { return nil }
        let array = Self.cell(directory, power).pointee.load(ordering: .acquiring)
        return array == 0 ? nil : record(array, offset, power)
    }

    /// The same; makes it where there is none. Nil when there is no memory.
    func make(_ address: UInt, _ power: UInt) -> UnsafeMutablePointer<BlockRecord>? {
        if let record = existing(address, power) { return record }
        let offset = address &- arena.base
        let directory = Self.fill(
            directories[Int(offset &>> Self.chunkShift)], bytes: Self.directorySize)
        guard directory != 0 else { return nil }
        let array = Self.fill(Self.cell(directory, power), bytes: Self.arraySize(power))
        return array == 0 ? nil : record(array, offset, power)
    }

    private static func cell(_ directory: UInt, _ power: UInt) -> UnsafeMutablePointer<Atomic<UInt>> {
        pointer(directory &+ power &* 8)
    }

    /// The address in `cell`: of `bytes` new bytes where it was 0. Stays 0 when there is no memory.
    private static func fill(_ cell: UnsafeMutablePointer<Atomic<UInt>>, bytes: Int) -> UInt {
        let present = cell.pointee.load(ordering: .acquiring)
        guard present == 0 else { return present }
        let mapped = map(bytes)
        // Out of the program's reach where that can be, among its blocks where a limit leaves
        // nothing else.
        let table = mapped != 0 ? mapped : allocateMetadata(bytes)
        guard table != 0 else { return 0 }
        let (exchanged, other) = cell.pointee.compareExchange(
            expected: 0, desired: table, ordering: .acquiringAndReleasing)
        // Pages of the arena that two threads took at once are lost.
        if !exchanged, mapped != 0 { _ = percolate_munmap(mapped, bytes) }
        return exchanged ? table : other
    }

    private static func map(_ bytes: Int) -> UInt {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let result = percolate_mmap(0, bytes, PROT_READ | PROT_WRITE, flags)
        guard result > 0 else { return 0 }
        _ = percolate_madvise(UInt(result), bytes, MADV_NOHUGEPAGE)
        return UInt(result)
    }

    @inline(__always)
    private func record(_ array: UInt, _ offset: UInt, _ power: UInt) -> UnsafeMutablePointer<
        BlockRecord
    > {
        let within = offset & (1 &<< Self.chunkShift &- 1)
        return pointer(array &+ within &>> power &* BlockRecord.stride)
    }
}
