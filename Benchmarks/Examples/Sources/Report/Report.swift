import Glibc
import Percolate

/// Runs an example and prints one line: seconds, the resident memory at its end and its peak, and whether Percolate served it.
public func report(_ name: String, _ body: @Sendable () async throws -> Void) async throws {
    let time = try await ContinuousClock().measure { try await body() }
    var usage = rusage()
    getrusage(__rusage_who_t(truncatingIfNeeded: RUSAGE_SELF.rawValue), &usage)
    let statistics = ProcessHeap.statistics
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    print(
        name, "seconds", seconds, "resident", statistics.process.residentBytes, "peak", usage.ru_maxrss * 1024,
        "percolate", ProcessHeap.servesMalloc)
}
