import Benchmark
import PercolateBenchmark

/// A list without tricks: each element is one allocation.
private final class Node {
    let next: Node?
    init(_ next: Node?) { self.next = next }
}

/// The same counts as `Allocations` has, without a stand-in for another package: only what is named
/// is counted.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: .heap, warmupIterations: 3, maxDuration: .seconds(5), maxIterations: 20)

    Benchmark("list of three nodes, counted") { benchmark in
        benchmark.countAllocations { blackHole(Node(Node(Node(nil)))) }
    }
}
