import CPercolate

/// Statistics to be shown: of this process's heap as it is, or a value that was collected before.
public protocol StatisticsSource {
    /// The program's name.
    var name: UnsafePointer<CChar> { get }
    /// Whether the heap serves the process's `malloc`.
    var servesMalloc: Bool { get }
    var process: percolate_process_figures { get }
    /// Size classes without spans may be among them: they are left out.
    var classCount: Int { get }
    mutating func sizeClass(_ position: Int) -> percolate_class_figures
    /// Indexes that have no caches and counted nothing may be among them: they are left out.
    var cpuCount: Int { get }
    mutating func cpu(_ position: Int) -> percolate_cpu_figures
}
