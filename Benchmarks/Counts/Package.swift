// swift-tools-version: 6.2
import PackageDescription

// Exact counts of allocations in benchmarks, by PercolateBenchmark. A package of its own: in
// Benchmarks/Allocations the benchmark package depends on Percolate, by its malloc-interposer, and
// here the other way round. SwiftPM crashes on both at once.
let package = Package(
    name: "percolate-counts",
    platforms: [.macOS(.v13)],
    dependencies: [
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
        .package(name: "percolate", path: "../..", traits: ["Benchmark"]),
    ],
    targets: [
        .executableTarget(
            name: "Counts",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "PercolateBenchmark", package: "percolate"),
                .product(name: "percolate_malloc", package: "percolate"),
            ],
            path: "Benchmarks/Counts",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
