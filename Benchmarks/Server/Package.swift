// swift-tools-version: 6.2
import PackageDescription

// A web server as users write it. `compare` also builds it with the other allocators: only its
// linking differs.
let allocator = Context.environment["EXAMPLES_ALLOCATOR"] ?? "percolate"
precondition(
    ["percolate", "jemalloc", "glibc"].contains(allocator),
    "EXAMPLES_ALLOCATOR names no allocator: \(allocator)")

let malloc: [Target.Dependency] =
    allocator == "percolate" ? [.product(name: "percolate_malloc", package: "percolate")] : []
let linking: [LinkerSetting] = allocator == "jemalloc" ? [.linkedLibrary("jemalloc")] : []

let package = Package(
    name: "server",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "percolate", path: "../..", traits: ["Logging", "ServiceLifecycle"]),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.20.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    ],
    targets: [
        .executableTarget(
            name: "server",
            dependencies: [
                .product(name: "Percolate", package: "percolate"),
                .product(name: "PercolateLogging", package: "percolate"),
                .product(name: "PercolateService", package: "percolate"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ] + malloc,
            linkerSettings: linking)
    ]
)
