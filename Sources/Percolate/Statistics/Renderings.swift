import CPercolate
import PercolateCoreHosted

/// Every rendering is the core's own, which also writes statistics when a process ends: the names
/// are the same everywhere.
extension HeapStatistics: CustomStringConvertible {
    /// Lines `name value` for the process, then a table of size classes and one of CPUs. For
    /// people.
    public var description: String { rendered(.text) }

    /// One JSON object, with the names that `Codable` uses. In the process's name, characters that
    /// are not plain ASCII, or mean something in one of the formats, are replaced by underscores.
    public var json: String { String(rendered(.json).dropLast()) }

    /// The text format that Prometheus reads: figures of size classes have the label `size`, those
    /// of CPUs the label `cpu`, and the names of counters end in `_total`.
    public var prometheus: String { rendered(.prometheus) }

    private func rendered(_ format: StatisticsFormat) -> String {
        var bytes: [UInt8] = []
        unsafe processName.withCString { name in
            let source = unsafe Value(statistics: self, name: name)
            _ = unsafe withUnsafeMutablePointer(to: &bytes) { bytes in
                unsafe renderStatistics(
                    source, as: format,
                    { context, text, count in
                        guard let bytes = unsafe context?.assumingMemoryBound(to: [UInt8].self) else { return 0 }
                        unsafe bytes.pointee.append(
                            contentsOf: UnsafeRawBufferPointer(start: UnsafeRawPointer(text), count: count))
                        return 0
                    }, bytes)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @safe private struct Value: @unsafe StatisticsSource {
        let statistics: HeapStatistics
        let name: UnsafePointer<CChar>

        var servesMalloc: Bool { statistics.servesMalloc }
        var classCount: Int { statistics.sizeClasses.count }
        var cpuCount: Int { statistics.cpus.count }
        func sizeClass(_ position: Int) -> percolate_class_figures { statistics.sizeClasses[position].source }

        func cpu(_ position: Int) -> percolate_cpu_figures {
            var figures = statistics.cpus[position].source
            // Only CPUs that are to be shown are in the list.
            figures.has_slab = 1
            return figures
        }

        var process: percolate_process_figures {
            var figures = statistics.process.source
            figures.process_id = UInt64(statistics.processID)
            figures.mode = statistics.mode == .sections ? 0 : statistics.mode == .locked ? 1 : 2
            figures.index = statistics.index == .cpuID ? 0 : 1
            figures.registration =
                statistics.registration == .none ? 0 : statistics.registration == .glibc ? 1 : 2
            figures.can_fence = statistics.canFence ? 1 : 0
            figures.memory_limit = statistics.memoryLimit.map { UInt64($0) } ?? .max
            return figures
        }
    }
}
