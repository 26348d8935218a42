import CPercolate
import Synchronization

/// Where the state of the calling thread's heap is. All of a heap's state lies in one structure
/// (<percolate/heap_state.h>), and this is the one way to it.
///
/// In the shared object it is a constant: what lies there costs what a global variable costs. In
/// the hosted core it is what the thread is bound to, which is the process's heap but in tests.
@inline(__always)
var heapAddress: UInt {
    #if hasFeature(Embedded)
        UInt(bitPattern: pinned(&percolate_process_heap))
    #else
        percolate_bound_heap_address()
    #endif
}

/// This layer's part of a heap's state.
///
/// The state of each layer begins with that of the layer below, so all of them lie at
/// `heapAddress`, and no layer knows those above. Nobody makes a value of these types: they are the
/// names of what lies there, and zero bytes are a heap that has not started. What is more than that
/// start-up stores.
struct PlatformState: ~Copyable {
    var shared: percolate_heap
    /// State of the generator `Randomness`.
    let randomness: Atomic<UInt64>
    /// Bytes of the heap's own tables that were made usable, in all. An atomic word, whose address
    /// observers know.
    var committedMetadata: UInt64
    private var line: CacheLine
    // Read by every slow path and seldom written.
    /// A `HardeningLevel`.
    let hardening: Atomic<Int>
    /// One row of counters for each index of the slab gates, each row on cache lines of its own.
    var counterRows: Table<Atomic<UInt64>>
    var counterRowCount: Int
}

@inline(__always)
var platformState: UnsafeMutablePointer<PlatformState> { pointer(heapAddress) }

/// The variables of the fast path.
var front: percolate_front {
    @inline(__always) unsafeAddress { UnsafePointer(pinned(&platformState.pointee.shared.front)) }
    @inline(__always) unsafeMutableAddress { pinned(&platformState.pointee.shared.front) }
}

/// What observers know of the heap.
var observed: percolate_observed_heap {
    @inline(__always) unsafeAddress { UnsafePointer(pinned(&platformState.pointee.shared.observed)) }
    @inline(__always) unsafeMutableAddress { pinned(&platformState.pointee.shared.observed) }
}

/// What readers of samples know of them.
var sampled: percolate_samples {
    @inline(__always) unsafeAddress { UnsafePointer(pinned(&platformState.pointee.shared.samples)) }
    @inline(__always) unsafeMutableAddress { pinned(&platformState.pointee.shared.samples) }
}
