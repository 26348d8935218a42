import Synchronization

/// This layer's part of a heap's state (`PlatformState`). The tables are written once, when the
/// heap becomes hardened.
struct HardenedState: ~Copyable {
    private var below: FrontEndState
    var records: RecordTable
    var emptyBlocks: EmptyBlocks
    var quarantineRing: QuarantineRing
    var freeBlockPool: FreeBlockPool
    /// Whether a limit of the process counts the addresses of freed blocks, or what the arena takes
    /// in their place.
    let areAddressesShort: Atomic<Bool>
    private var line: CacheLine
    // Changes with each block.
    /// The number of the empty block that is handed out next.
    let nextEmptyBlock: Atomic<UInt>
    /// Blocks that have guard pages.
    let fencedBlocks: Atomic<Int>
    /// Spans of blocks that left the quarantine and could not be released, nor go in again.
    let blocksAside: SpanStack
    /// Grows with every secret number.
    let secrets: Atomic<UInt64>
}

@inline(__always)
var hardenedState: UnsafeMutablePointer<HardenedState> { pointer(heapAddress) }

@inline(__always)
var records: RecordTable { hardenedState.pointee.records }
@inline(__always)
var emptyBlocks: EmptyBlocks { hardenedState.pointee.emptyBlocks }
@inline(__always)
var quarantineRing: QuarantineRing { hardenedState.pointee.quarantineRing }
@inline(__always)
var freeBlockPool: FreeBlockPool { hardenedState.pointee.freeBlockPool }

extension Counter {
    /// Bytes of a fully hardened heap's blocks that the program does not have: canaries and guard
    /// pages, and blocks that wait, to be handed out or to leave the quarantine. Of small blocks,
    /// and of large ones.
    static var withheldBytes: Counter { Counter(17) }
    static var withheldLargeBytes: Counter { Counter(18) }
}
