import CPercolate
import Synchronization

/// This layer's part of a heap's state (`PlatformState`).
struct EmergencyState: ~Copyable {
    private var below: ArenaState
    /// The latest of `DeferredFrees`; 0 for none.
    let deferredFrees: Atomic<UInt>
    /// Empty spans that signal handlers could not give back to the arena.
    let deferredSpans: SpanStack
    /// Of `EmergencyRegion`. Low half: bytes used. High half: blocks alive.
    let region: Atomic<UInt64>
    /// Slots of `EmergencyMappings` that are used.
    let mappings: Atomic<Int>
}

@inline(__always)
var emergencyState: UnsafeMutablePointer<EmergencyState> { pointer(heapAddress) }
