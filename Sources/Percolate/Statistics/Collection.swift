import CPercolate

extension ProcessHeap {
    /// The statistics now. Takes some microseconds for each size class and CPU that is in use;
    /// allocates.
    public static var statistics: HeapStatistics {
        let access = HeapAccess.current
        let table = unsafe access.table
        var figures = percolate_process_figures()
        unsafe table.pointee.process_figures(&figures)

        let classCount = unsafe table.pointee.class_figures(nil, 0)
        let classes = unsafe [percolate_class_figures](unsafeUninitializedCapacity: classCount) { buffer, count in
            count = unsafe min(classCount, table.pointee.class_figures(buffer.baseAddress, classCount))
        }
        let cpuCount = unsafe table.pointee.cpu_figures(nil, 0)
        let cpus = unsafe [percolate_cpu_figures](unsafeUninitializedCapacity: cpuCount) { buffer, count in
            count = unsafe min(cpuCount, table.pointee.cpu_figures(buffer.baseAddress, cpuCount))
        }
        return HeapStatistics(
            processName: unsafe String(cString: percolate_program_name()), servesMalloc: access.servesMalloc,
            process: figures, classes: classes, cpus: cpus)
    }
}

extension HeapStatistics {
    /// Statistics of what a core's functions, or an observer of another process, collected.
    package init(
        processName: String, servesMalloc: Bool, process figures: percolate_process_figures,
        classes: [percolate_class_figures], cpus: [percolate_cpu_figures]
    ) {
        processID = Int(figures.process_id)
        self.processName = processName
        mode = figures.mode == 0 ? .sections : figures.mode == 1 ? .locked : .hardened
        index = figures.index == 0 ? .cpuID : .mmCID
        registration = figures.registration == 0 ? .none : figures.registration == 1 ? .glibc : .own
        canFence = figures.can_fence != 0
        self.servesMalloc = servesMalloc
        memoryLimit = figures.memory_limit == .max ? nil : Int(figures.memory_limit)
        process = Process(figures)
        sizeClasses = classes.lazy.filter { $0.spans > 0 }.map(SizeClass.init)
        self.cpus = cpus.lazy.filter { $0.has_slab != 0 || $0.direct_allocations != 0 || $0.vectors_local != 0 }
            .map(CPU.init)
    }
}
