// swift-tools-version: 6.2
import PackageDescription

/// The benchmark package's malloc metrics, from Percolate.
let package = Package(
    name: "percolate-allocations",
    platforms: [.macOS(.v13)],
    dependencies: [
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: ["MallocInterposer"]),
        // What the malloc metrics of the package above come from. The original would stand between the benchmarks and the allocator
        // that they call; this one asks Percolate, and only where such a metric is wanted.
        .package(path: "malloc-interposer"),
        .package(name: "percolate", path: "../..", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Allocations",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "MallocInterposerSwift", package: "malloc-interposer"),
                .product(name: "percolate_malloc", package: "percolate"),
            ],
            path: "Benchmarks/Allocations",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
