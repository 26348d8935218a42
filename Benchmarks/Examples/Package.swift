// swift-tools-version: 6.2
import PackageDescription

// Programs as users write them. `compare` builds and runs them under Percolate, jemalloc and glibc's malloc.
let package = Package(
    name: "examples",
    dependencies: [
        .package(name: "percolate", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    ],
    targets: [
        .target(name: "Report", dependencies: [.product(name: "Percolate", package: "percolate")]),
        .executableTarget(name: "json-loop", dependencies: ["Report"]),
        .executableTarget(name: "actors", dependencies: ["Report"]),
        .executableTarget(
            name: "echo-server",
            dependencies: [
                "Report", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .executableTarget(name: "counter", dependencies: [.product(name: "Percolate", package: "percolate")]),
    ]
)
