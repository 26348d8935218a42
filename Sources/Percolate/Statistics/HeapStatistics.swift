/// What the heap did and holds, at one moment.
///
/// The figures are collected while other threads go on: each was true at some moment, and sums
/// agree once the process is quiet. `Codable` and ``json`` use the same names.
public struct HeapStatistics: Sendable, Codable, Equatable {
    /// How caches are used.
    public enum Mode: String, Sendable, Codable {
        /// Restartable sequences on per-CPU caches.
        case sections
        /// Per-CPU caches under locks: the kernel has no restartable sequences, or they are
        /// switched off.
        case locked
        /// No caches; every operation is checked.
        case hardened
    }

    /// What the caches are indexed by.
    public enum Index: String, Sendable, Codable {
        /// The CPU's number.
        case cpuID = "cpu_id"
        /// The concurrency id, which the kernel keeps below the number of threads.
        case mmCID = "mm_cid"
    }

    /// Who registered the threads' restartable sequences with the kernel.
    public enum Registration: String, Sendable, Codable {
        /// Nobody: caches are under locks.
        case none
        /// The C library, for every thread.
        case glibc
        /// The heap, for each thread that uses it.
        case own
    }

    /// The process that the statistics are of.
    public var processID = 0
    /// The name of its program, without the folder.
    public var processName = ""
    /// How caches are used.
    public var mode = Mode.sections
    /// What the caches are indexed by.
    public var index = Index.cpuID
    /// Who registered the threads' restartable sequences.
    public var registration = Registration.none
    /// Whether the caches of other CPUs can be emptied, by membarrier(2).
    public var canFence = false
    /// Whether the heap serves the process's `malloc`.
    public var servesMalloc = false
    /// Bytes of pages that may be in use; nil without a limit, also where the limit is more than
    /// the heap's addresses.
    public var memoryLimit: Int?
    /// The figures of the whole process.
    public var process = Process()
    /// The size classes that have spans, by size.
    public var sizeClasses: [SizeClass] = []
    /// The indexes that have caches or counted something.
    public var cpus: [CPU] = []

    /// Of the whole process.
    public struct Process: Sendable, Codable, Equatable {
        /// Bytes of the process's pages that are in memory, of whatever owner.
        public var residentBytes = 0
        /// Bytes of addresses that the process has mapped, of whatever owner; reserved ones count.
        public var mappedBytes = 0
        /// Bytes of the blocks that the program has. Exact once the process is quiet.
        public var applicationBytes = 0
        /// Bytes of free blocks in the caches of the CPUs.
        public var cachedBytes = 0
        /// Bytes of free blocks in spans.
        public var freeBytes = 0
        /// Bytes of blocks above the largest size class.
        public var largeBytes = 0
        /// Bytes of the heap's pages in use: blocks, what caches hold, and what rounding costs.
        public var inUseBytes = 0
        /// Bytes of the heap's pages that were in use at some time.
        public var committedBytes = 0
        /// Bytes of free pages that stay resident for reuse.
        public var freeResidentBytes = 0
        /// Bytes given back to the kernel since start.
        public var releasedBytes = 0
        /// Bytes of the heap's own tables and slabs.
        public var metadataBytes = 0
        /// Spans that hold blocks: runs of pages, each for blocks of one size class or for one
        /// large block.
        public var spansInUse = 0
        /// Blocks that were handed out below the fast path. Above 0 shows that the heap serves.
        public var servedBlocks = 0
        /// Blocks above the largest size class that were handed out since start.
        public var largeAllocations = 0
        /// Of those, how many were taken back.
        public var largeFrees = 0
        /// Blocks that signal handlers got while they interrupted the heap.
        public var emergencyAllocations = 0
        /// Whether threads ask for a longer time slice while they hold a lock of the heap: 1, or 0
        /// where the kernel has no such thing (Linux before 7.0, or built without it), or the
        /// option `slice=off` was given.
        public var extendsSlices = 0
        /// Time slices that were extended, as far as their threads saw it.
        public var slicesExtended = 0
        /// Of those, how many the thread gave up before the extension was over.
        public var slicesYielded = 0
        /// CPUs that have caches.
        public var slabs = 0
        /// Allocations that found a cache empty and fetched a batch. From here on: sums over
        /// ``CPU``.
        public var refills = 0
        /// Blocks that those batches brought.
        public var refilledBlocks = 0
        /// Deallocations that found a cache full and gave a batch back.
        public var drains = 0
        /// Blocks that those batches took away.
        public var drainedBlocks = 0
        /// Times that a CPU took blocks out of the caches of another.
        public var steals = 0
        /// Blocks that it took.
        public var stolenBlocks = 0
        /// Times that a size class got more or less room.
        public var capacityChanges = 0
        /// Operation vectors that ran where the thread was.
        public var vectorsLocal = 0
        /// Operation vectors that were run for another CPU.
        public var vectorsRemote = 0
        /// Restartable sequences of slow paths that were interrupted.
        public var sectionsAborted = 0
        /// Closings of gates by a section on the same CPU.
        public var gatesClosedLocal = 0
        /// Closings of gates by a fence.
        public var gatesClosedRemote = 0
        /// Blocks that were allocated around the caches.
        public var directAllocations = 0
        /// Blocks that were freed around the caches.
        public var directFrees = 0

        /// All figures 0.
        public init() {}
    }

    /// The blocks of one size.
    public struct SizeClass: Sendable, Codable, Equatable {
        /// Bytes of a block.
        public var blockBytes = 0
        /// Bytes of a span.
        public var spanBytes = 0
        /// Spans of this class.
        public var spans = 0
        /// Blocks of all spans.
        public var blocks = 0
        /// Of those, free in spans.
        public var freeBlocks = 0
        /// Of those, free in the caches.
        public var cachedBlocks = 0
        /// Blocks that the program has.
        public var usedBlocks: Int { max(0, blocks - freeBlocks - cachedBlocks) }

        /// All figures 0.
        public init() {}
    }

    /// The caches of one CPU, and what the slow paths did there.
    public struct CPU: Sendable, Codable, Equatable {
        /// CPU number, or concurrency id where the caches are indexed by that.
        public var index = 0
        /// Bytes of free blocks that the caches hold.
        public var cachedBytes = 0
        /// Free blocks that the caches hold.
        public var cachedBlocks = 0
        /// Bytes of free blocks that the caches may hold as they are divided among the size classes
        /// now.
        public var capacityBytes = 0
        /// Bytes of free blocks that the caches may hold at all.
        public var budgetBytes = 0
        /// Allocations that found the cache empty and fetched a batch.
        public var refills = 0
        /// Blocks that those batches brought.
        public var refilledBlocks = 0
        /// Deallocations that found the cache full and gave a batch back.
        public var drains = 0
        /// Blocks that those batches took away.
        public var drainedBlocks = 0
        /// Times that another CPU took blocks out of these caches.
        public var steals = 0
        /// Blocks that it took.
        public var stolenBlocks = 0
        /// Times that a size class got more or less room.
        public var capacityChanges = 0
        /// Operation vectors that ran where the thread was.
        public var vectorsLocal = 0
        /// Operation vectors that were run for this CPU from another.
        public var vectorsRemote = 0
        /// Restartable sequences of slow paths that were interrupted.
        public var sectionsAborted = 0
        /// Closings of the gate by a section on the same CPU.
        public var gatesClosedLocal = 0
        /// Closings of the gate by a fence.
        public var gatesClosedRemote = 0
        /// Blocks that were allocated around the caches.
        public var directAllocations = 0
        /// Blocks that were freed around the caches.
        public var directFrees = 0

        /// All figures 0.
        public init() {}
    }

    /// No figures. ``ProcessHeap/statistics`` gives those of the process.
    public init() {}

    enum CodingKeys: String, CodingKey {
        case processID = "process_id"
        case processName = "process_name"
        case mode, index
        case registration = "rseq"
        case canFence = "membarrier"
        case servesMalloc = "serves_malloc"
        case memoryLimit = "memory_limit_bytes"
        case process
        case sizeClasses = "size_classes"
        case cpus
    }
}
