// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "percolate-benchmarks",
    platforms: [.macOS(.v13)],
    products: [
        .executable(name: "percolate-compare", targets: ["CompareCommand"]),
        .executable(name: "percolate-vectors", targets: ["VectorCosts"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/ordo-one/TextTable", from: "0.0.2"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "CMeasure"),
        .target(name: "Compare", dependencies: ["CMeasure"]),
        .executableTarget(
            name: "CompareCommand",
            dependencies: [
                "Compare",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "TextTable", package: "TextTable"),
            ]),
        // The core and its C part are the parent package's own files, by links: trusted vectors have no entry from outside.
        .target(name: "CPercolate", cSettings: [.headerSearchPath("internal")]),
        .target(
            name: "CVectorCosts", dependencies: ["CPercolate"],
            cSettings: [.headerSearchPath("../CPercolate/internal")]),
        .executableTarget(
            name: "VectorCosts",
            dependencies: [
                "Compare", "CPercolate", "CVectorCosts",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "TextTable", package: "TextTable"),
            ],
            swiftSettings: [.unsafeFlags(["-enforce-exclusivity=unchecked"])]),
        .systemLibrary(name: "CJemalloc", providers: [.apt(["libjemalloc-dev"])]),
        .executableTarget(
            name: "Allocators",
            dependencies: ["CJemalloc", .product(name: "Benchmark", package: "benchmark")],
            path: "Benchmarks/Allocators",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
        .testTarget(name: "CompareTests", dependencies: ["Compare"]),
    ]
)
