import CPercolate
import Synchronization

/// This layer's part of a heap's state (`PlatformState`).
struct MiddleState: ~Copyable {
    private var below: ArenaState
    var middle: Middle.State
    var transferMemory: TransferMemory.State
    /// The classes' descriptions. Written once, at start.
    var sizeClasses: Table<SizeClass>
    /// The latest of `DeferredFrees`; 0 for none.
    let deferredFrees: Atomic<UInt>
    /// Empty spans that signal handlers could not give back to the arena. The next visit that is no
    /// handler's gives them back.
    let deferredSpans: SpanStack
}

@inline(__always)
var middleState: UnsafeMutablePointer<MiddleState> { pointer(heapAddress) }

@inline(__always)
var sizeClasses: Table<SizeClass> { middleState.pointee.sizeClasses }
