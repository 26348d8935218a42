import CPercolate

// The figures of this process's heap, for the Swift API and for glibc's functions. See
// `ObservedFigures`.

extension Heap {
    static var figures: ObservedFigures<OwnMemory> { ObservedFigures(observedHeap, OwnMemory()) }

    static var observedHeap: UnsafePointer<percolate_observed_heap> {
        UnsafePointer(pinned(&observed))
    }

    /// The figures of the process, with what the kernel knows of it.
    static func processFigures() -> percolate_process_figures {
        var reader = figures
        var result = reader.process()
        result.process_id = UInt64(percolate_getpid())
        // Where /proc is not mounted both stay 0.
        _ = percolate_process_memory(&result.resident, &result.mapped)
        return result
    }
}

@c(percolate_process_figures)
public func percolateProcessFigures(_ figures: UnsafeMutablePointer<percolate_process_figures>) {
    figures.pointee = Heap.ensureStarted() ? Heap.processFigures() : percolate_process_figures()
}

@c(percolate_class_figures)
public func percolateClassFigures(_ figures: UnsafeMutablePointer<percolate_class_figures>?, _ capacity: UInt) -> UInt {
    guard Heap.ensureStarted() else { return 0 }
    var reader = Heap.figures
    guard let figures else { return UInt(reader.classCount) }
    for number in 0..<min(reader.classCount, Int(capacity)) { figures[number] = reader.sizeClass(number &+ 1) }
    return UInt(reader.classCount)
}

@c(percolate_cpu_figures)
public func percolateCPUFigures(_ figures: UnsafeMutablePointer<percolate_cpu_figures>?, _ capacity: UInt) -> UInt {
    guard Heap.ensureStarted() else { return 0 }
    var reader = Heap.figures
    guard let figures else { return UInt(reader.cpuCount) }
    for index in 0..<min(reader.cpuCount, Int(capacity)) { figures[index] = reader.cpu(index) }
    return UInt(reader.cpuCount)
}

/// The figures of the class at that position, which is below `percolate_class_figures`' count.
@c(percolate_one_class_figures)
public func percolateOneClassFigures(_ figures: UnsafeMutablePointer<percolate_class_figures>, _ position: UInt) {
    var reader = Heap.figures
    figures.pointee = reader.sizeClass(Int(position) &+ 1)
}

/// The figures of the index, which is below `percolate_cpu_figures`' count.
@c(percolate_one_cpu_figures)
public func percolateOneCPUFigures(_ figures: UnsafeMutablePointer<percolate_cpu_figures>, _ index: UInt) {
    var reader = Heap.figures
    figures.pointee = reader.cpu(Int(index))
}
