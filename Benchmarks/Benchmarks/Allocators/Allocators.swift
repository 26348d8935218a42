import Benchmark
import Foundation

/// Sizes that follow each other without a pattern, drawn before the clock runs.
private let randomSizes: [Int] = {
    var state: UInt64 = 42
    return (0..<4096).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return 16 + Int((state >> 33) % 1009)
    }
}()

// The calls go through pointers that the compiler knows nothing about, so it removes none of them.
let benchmarks: @Sendable () -> Void = {
    FileHandle.standardError.write(Data("jemalloc \(Allocator.jemallocVersion())\n".utf8))
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput], timeUnits: .nanoseconds, warmupIterations: 5, scalingFactor: .kilo,
        maxDuration: .seconds(1), maxIterations: 100_000)

    for allocator in Allocator.all() {
        Benchmark("pair 64 - \(allocator.name)") { benchmark in
            for _ in benchmark.scaledIterations {
                let block = allocator.malloc(64)
                block?.storeBytes(of: 1, as: UInt8.self)
                allocator.free(block)
            }
        }

        Benchmark("random sizes - \(allocator.name)") { benchmark in
            var ring = [UnsafeMutableRawPointer?](repeating: nil, count: 1000)
            for round in 0..<4 {
                for index in ring.indices {
                    allocator.free(ring[index])
                    ring[index] = allocator.malloc(randomSizes[(round &* 1000 &+ index) & 4095])
                }
            }
            benchmark.startMeasurement()
            for index in benchmark.scaledIterations {
                allocator.free(ring[index])
                ring[index] = allocator.malloc(randomSizes[(index &* 3) & 4095])
            }
            benchmark.stopMeasurement()
            for block in ring { allocator.free(block) }
        }

        Benchmark("calloc 256 - \(allocator.name)") { benchmark in
            for _ in benchmark.scaledIterations { allocator.free(allocator.calloc(4, 64)) }
        }

        Benchmark("realloc 32 to 2048 - \(allocator.name)") { benchmark in
            for _ in benchmark.scaledIterations {
                var block = allocator.malloc(32)
                for size in [64, 128, 512, 2048] { block = allocator.realloc(block, size) }
                allocator.free(block)
            }
        }

        if let sizedFree = allocator.sizedFree {
            Benchmark("sized free 64 - \(allocator.name)") { benchmark in
                for _ in benchmark.scaledIterations { sizedFree(allocator.malloc(64), 64) }
            }
        }

        Benchmark(
            "producer to consumer 128 - \(allocator.name)",
            configuration: .init(
                metrics: [.wallClock, .throughput], timeUnits: .nanoseconds, warmupIterations: 1, scalingFactor: .mega,
                maxDuration: .seconds(2), maxIterations: 20)
        ) { benchmark in
            Exchange.run(allocator, count: benchmark.scaledIterations.count, size: 128)
        }
    }
}
