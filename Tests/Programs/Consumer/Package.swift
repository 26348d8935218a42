// swift-tools-version: 6.2
import PackageDescription

// The test puts a tagged clone beside this folder.
let package = Package(
    name: "consumer",
    dependencies: [.package(url: "../percolate", from: "0.1.0")],
    targets: [
        .executableTarget(
            name: "linked",
            dependencies: [
                .product(name: "Percolate", package: "percolate"),
                .product(name: "percolate_malloc", package: "percolate"),
            ]),
        .executableTarget(name: "plain", dependencies: [.product(name: "Percolate", package: "percolate")]),
        .executableTarget(name: "buffers", dependencies: [.product(name: "Percolate", package: "percolate")]),
        .executableTarget(name: "misuse", dependencies: [.product(name: "Percolate", package: "percolate")]),
        .testTarget(
            name: "AllocationTests",
            dependencies: [
                .product(name: "Percolate", package: "percolate"),
                .product(name: "percolate_malloc", package: "percolate"),
            ]),
        // What touches memory without checks is an error here, unless it is marked.
        .executableTarget(
            name: "owners", dependencies: [.product(name: "Percolate", package: "percolate")],
            swiftSettings: [.strictMemorySafety(), .treatAllWarnings(as: .error)]),
    ])
