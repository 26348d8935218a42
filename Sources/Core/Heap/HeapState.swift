import CPercolate
import Synchronization

/// All of a heap's state (`PlatformState`): this layer's part, behind those below.
struct HeapState: ~Copyable {
    private var below: SamplingState
    /// A `Heap.Phase`.
    let phase: Atomic<UInt8>
    var options: Options
    var counting: Counting.State
    var requests: Requests.State
    /// When the program last called malloc_trim(3), in milliseconds.
    let trimmedAt: Atomic<UInt64>
    /// The number of the thread that switches sampling; 0 for none.
    let samplingSwitcher: Atomic<UInt32>
    /// Large blocks that lie in mappings of their own, and whether the kernel refused to make more.
    let movedBlocks: Atomic<Int>
    let isMovingRefused: Atomic<Bool>
    /// Pages that are written from at the end: behind all that a process needs before.
    var exitTexts: Heap.ExitTexts
}

@inline(__always)
var heapState: UnsafeMutablePointer<HeapState> { pointer(heapAddress) }
