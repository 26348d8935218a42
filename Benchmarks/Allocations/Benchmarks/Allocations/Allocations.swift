import Benchmark
import Foundation

/// A list without tricks: each element is one allocation.
private final class Node {
    let next: Node?
    init(_ next: Node?) { self.next = next }
}

/// Code whose number of allocations is known, measured by the benchmark package's malloc metrics. They are exact, so they can be held to
/// a threshold.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.mallocCountTotal, .freeCountTotal, .mallocBytesCount, .memoryLeakedBytes], warmupIterations: 3,
        scalingFactor: .kilo, maxDuration: .seconds(5), maxIterations: 20)

    Benchmark("no allocation") { benchmark in
        for number in benchmark.scaledIterations { blackHole(number) }
    }

    Benchmark("list of three nodes") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(Node(Node(Node(nil)))) }
    }

    Benchmark("decode a number", configuration: .init(scalingFactor: .one)) { benchmark in
        blackHole(try JSONDecoder().decode([Int].self, from: Data("[1]".utf8)))
    }
}
