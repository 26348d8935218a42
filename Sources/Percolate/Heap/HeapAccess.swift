import CPercolate
import Glibc
import PercolateCoreHosted

/// Which heap the API speaks to: one for the process, decided at the first use.
///
/// Where the shared object is loaded, by preloading or by linking, its table is found under its
/// name, and its heap is used: the one that serves `malloc`. Otherwise, or when the table is of
/// another version, the core that is linked into the program.
@safe
struct HeapAccess: @unchecked Sendable {
    /// Lives as long as the process.
    let table: UnsafePointer<percolate_heap_interface>
    let isSharedObject: Bool
    /// Whether `malloc` of the process is the heap's.
    let servesMalloc: Bool

    static let current = HeapAccess()

    private init() {
        if let symbol = unsafe dlsym(nil, "percolate_heap_interface") {
            let found = unsafe UnsafePointer(symbol.assumingMemoryBound(to: percolate_heap_interface.self))
            if unsafe found.pointee.version == UInt32(PERCOLATE_HEAP_INTERFACE_VERSION) {
                unsafe table = found
                isSharedObject = true
                servesMalloc =
                    unsafe dlsym(nil, "malloc")
                    == unsafeBitCast(found.pointee.allocate, to: UnsafeMutableRawPointer.self)
                return
            }
        }
        unsafe table = Self.ownCore()
        isSharedObject = false
        servesMalloc = false
    }

    /// The table of the core in this program.
    private static func ownCore() -> UnsafePointer<percolate_heap_interface> {
        let table = UnsafeMutablePointer<percolate_heap_interface>.allocate(capacity: 1)
        unsafe table.initialize(
            to: percolate_heap_interface(
                version: UInt32(PERCOLATE_HEAP_INTERFACE_VERSION),
                size: UInt32(MemoryLayout<percolate_heap_interface>.size),
                allocate: { unsafe percolateAllocate(UInt(bitPattern: $0)) },
                allocate_zeroed: { unsafe percolateAllocateZeroed(UInt(bitPattern: $0)) },
                allocate_aligned: { unsafe percolateAllocateAligned(UInt(bitPattern: $0), UInt(bitPattern: $1)) },
                deallocate: { unsafe percolateDeallocate($0) },
                deallocate_sized: { unsafe percolateDeallocateSized($0, UInt(bitPattern: $1), 0) },
                deallocate_aligned: {
                    unsafe percolateDeallocateSized($0, UInt(bitPattern: $2), UInt(bitPattern: $1))
                },
                reallocate: { block, size in
                    guard let block = unsafe block else { return unsafe percolateAllocate(UInt(bitPattern: size)) }
                    return unsafe percolateReallocate(block, UInt(bitPattern: size))
                },
                usable_size: { block in
                    guard let block = unsafe block else { return 0 }
                    return unsafe Int(bitPattern: percolateUsableSize(block))
                },
                release_free_memory: { percolateTrim() },
                set_memory_limit: { percolateSetMemoryLimit($0) },
                process_figures: { figures in
                    if let figures = unsafe figures { unsafe percolateProcessFigures(figures) }
                },
                class_figures: { figures, capacity in
                    return unsafe Int(bitPattern: percolateClassFigures(figures, UInt(bitPattern: capacity)))
                },
                cpu_figures: { figures, capacity in
                    return unsafe Int(bitPattern: percolateCPUFigures(figures, UInt(bitPattern: capacity)))
                },
                begin_counting: { scope in
                    if let scope = unsafe scope { unsafe percolateBeginCounting(scope) }
                },
                end_counting: { scope in
                    if let scope = unsafe scope { unsafe percolateEndCounting(scope) }
                },
                run_vector: { vector, copy, count, cpu, flags, which in
                    guard let copy = unsafe copy else { return -Int(EFAULT) }
                    return unsafe runVector(vector, copy, count, cpu, flags, which)
                },
                set_sampling: { percolateSetSampling($0, $1) },
                samples: percolateSamples,
                harden: { percolateHardenHeap($0) },
                set_sample_rate: { percolateSetSampleRate($0) },
                sample_rate: { percolateSampleRate() }))
        return unsafe UnsafePointer(table)
    }
}
