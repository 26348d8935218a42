import CPercolate
import Synchronization

/// This layer's part of a heap's state (`PlatformState`).
struct MiddleState: ~Copyable {
    private var below: ArenaState
    var middle: Middle.State
    var transferMemory: TransferMemory.State
    /// The classes' descriptions. Written once, at start.
    var sizeClasses: Table<SizeClass>
    /// The latest of `DeferredFrees`, and of `DeferredSpans`; 0 for none.
    let deferredFrees: Atomic<UInt>
    let deferredSpans: Atomic<SpanID>
}

@inline(__always)
var middleState: UnsafeMutablePointer<MiddleState> { pointer(heapAddress) }

@inline(__always)
var sizeClasses: Table<SizeClass> { middleState.pointee.sizeClasses }
