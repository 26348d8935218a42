import CPercolate

/// This layer's part of a heap's state (`PlatformState`).
struct MiddleState: ~Copyable {
    private var below: EmergencyState
    var middle: Middle.State
    var transferMemory: TransferMemory.State
    /// The classes' descriptions. Written once, at start.
    var sizeClasses: Table<SizeClass>
}

@inline(__always)
var middleState: UnsafeMutablePointer<MiddleState> { pointer(heapAddress) }

@inline(__always)
var sizeClasses: Table<SizeClass> { middleState.pointee.sizeClasses }
