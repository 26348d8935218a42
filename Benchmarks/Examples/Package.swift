// swift-tools-version: 6.2
import PackageDescription

// Programs as users write them, each linked with Percolate. `compare` also builds them with the other allocators: only their
// linking differs.
let allocator = Context.environment["EXAMPLES_ALLOCATOR"] ?? "percolate"
precondition(
    ["percolate", "jemalloc", "glibc"].contains(allocator), "EXAMPLES_ALLOCATOR names no allocator: \(allocator)")

let malloc: [Target.Dependency] =
    allocator == "percolate" ? [.product(name: "percolate_malloc", package: "percolate")] : []
let linking: [LinkerSetting] = allocator == "jemalloc" ? [.linkedLibrary("jemalloc")] : []

let percolate = Target.Dependency.product(name: "Percolate", package: "percolate")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]

let package = Package(
    name: "examples",
    dependencies: [
        .package(name: "percolate", path: "../..", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    ],
    targets: [
        .target(name: "Report", dependencies: [percolate]),
        .executableTarget(name: "json-loop", dependencies: ["Report"] + malloc, linkerSettings: linking),
        .executableTarget(name: "actors", dependencies: ["Report"] + malloc, linkerSettings: linking),
        .executableTarget(name: "echo-server", dependencies: ["Report"] + nio + malloc, linkerSettings: linking),
        .executableTarget(name: "session-server", dependencies: ["Report"] + nio + malloc, linkerSettings: linking),
        .executableTarget(name: "counter", dependencies: [percolate]),
        .executableTarget(name: "arrays", dependencies: [percolate] + malloc, linkerSettings: linking),
    ]
)
