// swift-tools-version: 6.2
import PackageDescription

// Stands in for the package of this name that the benchmark package asks for, so that its malloc metrics come from Percolate. A package
// named in the manifest of the benchmarks takes precedence over one of the same name further down.
let package = Package(
    name: "malloc-interposer",
    products: [.library(name: "MallocInterposerSwift", targets: ["MallocInterposerSwift"])],
    dependencies: [.package(name: "percolate", path: "../../..", traits: [])],
    targets: [
        .target(
            name: "MallocInterposerSwift", dependencies: [.product(name: "Percolate", package: "percolate")]),
        .testTarget(
            name: "MallocInterposerTests",
            dependencies: ["MallocInterposerSwift", .product(name: "percolate_malloc", package: "percolate")]),
    ])
