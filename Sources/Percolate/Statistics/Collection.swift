import CPercolate
import Glibc

extension ProcessHeap {
    /// The statistics now. Takes some microseconds for each size class and CPU that is in use; allocates.
    public static var statistics: HeapStatistics {
        let access = HeapAccess.current
        let table = unsafe access.table
        var figures = percolate_process_figures()
        unsafe table.pointee.process_figures(&figures)

        var result = HeapStatistics()
        result.processID = Int(getpid())
        result.mode = figures.mode == 0 ? .sections : figures.mode == 1 ? .locked : .hardened
        result.index = figures.index == 0 ? .cpuID : .mmCID
        result.registration = figures.registration == 0 ? .none : figures.registration == 1 ? .glibc : .own
        result.canFence = figures.can_fence != 0
        result.servesMalloc = access.servesMalloc
        result.memoryLimit = figures.memory_limit == .max ? nil : Int(figures.memory_limit)
        result.process = HeapStatistics.Process(figures)
        (result.process.mappedBytes, result.process.residentBytes) = processMemory()

        let classCount = unsafe table.pointee.class_figures(nil, 0)
        let classes = unsafe [percolate_class_figures](unsafeUninitializedCapacity: classCount) { buffer, count in
            count = unsafe min(classCount, table.pointee.class_figures(buffer.baseAddress, classCount))
        }
        result.sizeClasses = classes.lazy.filter { $0.spans > 0 }.map(HeapStatistics.SizeClass.init)

        let cpuCount = unsafe table.pointee.cpu_figures(nil, 0)
        let cpus = unsafe [percolate_cpu_figures](unsafeUninitializedCapacity: cpuCount) { buffer, count in
            count = unsafe min(cpuCount, table.pointee.cpu_figures(buffer.baseAddress, cpuCount))
        }
        result.cpus = cpus.lazy.filter { $0.has_slab != 0 || $0.direct_allocations != 0 || $0.vectors_local != 0 }
            .map(HeapStatistics.CPU.init)
        return result
    }

    /// Mapped and resident bytes of the process (proc(5), statm); 0 where /proc is not mounted.
    private static func processMemory() -> (mapped: Int, resident: Int) {
        let descriptor = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return (0, 0) }
        defer { close(descriptor) }
        let text = unsafe String(unsafeUninitializedCapacity: 256) {
            unsafe max(0, read(descriptor, $0.baseAddress, 256))
        }
        let pages = text.split(separator: " ").prefix(2).compactMap { Int($0) }
        guard pages.count == 2 else { return (0, 0) }
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        return (pages[0] * pageSize, pages[1] * pageSize)
    }
}

extension HeapStatistics.Process {
    fileprivate init(_ figures: percolate_process_figures) {
        inUseBytes = Int(figures.in_use)
        committedBytes = Int(figures.committed)
        freeResidentBytes = Int(figures.free_resident)
        releasedBytes = Int(figures.released)
        metadataBytes = Int(figures.metadata)
        spansInUse = Int(figures.spans_in_use)
        servedBlocks = Int(figures.served_blocks)
        largeAllocations = Int(figures.large_allocations)
        largeFrees = Int(figures.large_frees)
        emergencyAllocations = Int(figures.emergency_allocations)
    }
}

extension HeapStatistics.SizeClass {
    fileprivate init(_ figures: percolate_class_figures) {
        blockBytes = Int(figures.block_size)
        spanBytes = Int(figures.span_size)
        spans = Int(figures.spans)
        blocks = Int(figures.blocks)
        freeBlocks = Int(figures.free_blocks)
        cachedBlocks = Int(figures.cached_blocks)
    }
}

extension HeapStatistics.CPU {
    fileprivate init(_ figures: percolate_cpu_figures) {
        index = Int(figures.index)
        cachedBytes = Int(figures.cached)
        cachedBlocks = Int(figures.cached_blocks)
        capacityBytes = Int(figures.capacity)
        budgetBytes = Int(figures.budget)
        refills = Int(figures.refills)
        refilledBlocks = Int(figures.refilled_objects)
        drains = Int(figures.drains)
        drainedBlocks = Int(figures.drained_objects)
        steals = Int(figures.steals)
        stolenBlocks = Int(figures.stolen_objects)
        capacityChanges = Int(figures.capacity_changes)
        vectorsLocal = Int(figures.vectors_local)
        vectorsRemote = Int(figures.vectors_remote)
        sectionsAborted = Int(figures.sections_aborted)
        gatesClosedLocal = Int(figures.gates_closed_local)
        gatesClosedRemote = Int(figures.gates_closed_remote)
        directAllocations = Int(figures.direct_allocations)
        directFrees = Int(figures.direct_frees)
    }
}
