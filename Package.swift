// swift-tools-version: 6.2
import PackageDescription

/// Which test build of the shared object this is; every other build is without a variant. `Tests/build-variants` says
/// what the variants are for.
let variant = Context.environment["PERCOLATE_VARIANT"] ?? ""
precondition(
    ["", "widened", "widened-without-fence", "without-fork-handlers", "refill-samples"].contains(variant),
    "PERCOLATE_VARIANT names no variant: \(variant)")

/// Turns of a delay loop inside each restartable sequence, in the variants that have it.
let widening: [CSetting] =
    variant.hasPrefix("widened") ? [.define("PERCOLATE_WIDENED", to: "2000")] : []
let fencing: [SwiftSetting] =
    variant == "widened-without-fence" ? [.define("PERCOLATE_WITHOUT_FENCE")] : []
let sampling: [SwiftSetting] =
    variant == "refill-samples" ? [.define("PERCOLATE_REFILL_SAMPLES"), .define("PERCOLATE_TRUSTING_REFUSALS")] : []
let forkHandling: [CSetting] =
    variant == "without-fork-handlers" ? [.define("PERCOLATE_WITHOUT_FORK_HANDLERS")] : []
let childHandling: [SwiftSetting] =
    variant == "without-fork-handlers" ? [.define("PERCOLATE_WITHOUT_FORK_HANDLERS")] : []

/// The flags that make the core an Embedded Swift module: no allocation may be compiled into it, and it is optimised
/// as one module. The hosted twin of the same files (`PercolateCoreHosted`) is an ordinary Swift module.
let embedded: [SwiftSetting] = [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags([
        "-wmo", "-no-allocations", "-enforce-exclusivity=unchecked", "-Xfrontend", "-disable-stack-protector",
        // A consumer's --static-swift-stdlib looks for the module in a folder that has no Embedded one.
        "-no-static-stdlib",
        // Embedded Swift marks every function as one that no exception leaves, and such functions get no unwind
        // information. Profilers, debuggers and C++ exceptions out of `new` handlers need it.
        "-Xllvm", "-force-remove-attribute=nounwind", "-Xllvm", "-disable-nounwind-inference",
        "-Xcc", "-fno-omit-frame-pointer",
        // The linker joins the name tables of several modules into one that gdb refuses, and gdb looks for the
        // debug information of imported C modules in files that are not there.
        "-Xllvm", "-accel-tables=Disable", "-Xfrontend", "-no-clang-module-breadcrumbs",
        // For early-sections.txt.
        "-Xfrontend", "-function-sections",
    ]),
]

/// The C parts of the shared object keep frame pointers, as its Swift part does, and have the same version of debug
/// information: the newest that valgrind 3.19 reads.
let unwinding: [CSetting] = [.unsafeFlags(["-fno-omit-frame-pointer", "-gdwarf-4", "-ffunction-sections"])]

/// `now` and `nodelete`: a library that was ever entered must stay mapped and must never resolve a symbol lazily,
/// because resolving may allocate.
///
/// No start files: what they run at start and end touches pages at the end of the code, in every process.
///
/// What every process runs, and early, lies together: the kernel maps code in pieces of 64 KiB, and
/// counts them as resident.
let sharedObject: [LinkerSetting] = [
    .unsafeFlags([
        "-enable-experimental-feature", "Embedded",
        "-Xlinker", "--version-script=\(Context.packageDirectory)/LD_PRELOAD/exports.map",
        "-Xlinker", "--section-ordering-file=\(Context.packageDirectory)/LD_PRELOAD/early-sections.txt",
        "-Xlinker", "-z", "-Xlinker", "now",
        "-Xlinker", "-z", "-Xlinker", "nodelete",
        "-Xlinker", "--gc-sections",
        "-Xclang-linker", "-nostartfiles",
    ])
]

/// The name under which programs that are linked to the installed shared object find it: `LD_PRELOAD/Packaging/install`
/// builds with one. In a folder of builds the file's own name serves.
let soname: [LinkerSetting] =
    Context.environment["PERCOLATE_SONAME"].map { [.unsafeFlags(["-Xlinker", "-soname=\($0)"])] } ?? []

/// The API's own Swift: what touches memory without checks is marked, and no warning passes.
let api: [SwiftSetting] = [
    .strictMemorySafety(), .treatAllWarnings(as: .error), .enableExperimentalFeature("Lifetimes"),
]

/// Imports say whether they are part of the interface.
let integration: [SwiftSetting] = [.enableUpcomingFeature("InternalImportsByDefault")]

/// A program exports its gates, so that the shared object, preloaded, finds and uses them in place of its own.
let sharedGates: [LinkerSetting] = [
    .unsafeFlags(
        ["percolate_gates", "percolate_mm_cid_gates"].flatMap {
            ["-Xlinker", "--export-dynamic-symbol=\($0)"]
        })
]

/// What only the command and the tests need is not fetched by a package that depends on this one with `traits: []`.
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser", condition: .when(traits: ["Command"]))
let subprocess = Target.Dependency.product(
    name: "Subprocess", package: "swift-subprocess", condition: .when(traits: ["Tests"]))
let systemPackage = Target.Dependency.product(
    name: "SystemPackage", package: "swift-system", condition: .when(traits: ["Command", "Tests"]))

/// A library beside `Percolate` for each package that a server may use, with a trait of its own: without the trait the
/// package is not fetched.
let metrics = Target.Dependency.product(
    name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Metrics"]))
let logging = Target.Dependency.product(
    name: "Logging", package: "swift-log", condition: .when(traits: ["Logging"]))
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["ServiceLifecycle"]))
let benchmark = Target.Dependency.product(
    name: "Benchmark", package: "benchmark", condition: .when(traits: ["Benchmark"]))

/// What the tests of these libraries need besides.
let testKits: [Target.Dependency] = [
    .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
    .product(name: "InMemoryLogging", package: "swift-log", condition: .when(traits: ["Logging"])),
]

let package = Package(
    name: "percolate",
    products: [
        .library(name: "Percolate", targets: ["Percolate"]),
        // A shared object: executables that are linked with -static-executable cannot have it.
        // `Percolate` alone they can.
        .library(name: "percolate_malloc", type: .dynamic, targets: ["percolate_malloc"]),
        .executable(name: "percolate", targets: ["PercolateCommand"]),
        .library(name: "PercolateMetrics", targets: ["PercolateMetrics"]),
        .library(name: "PercolateLogging", targets: ["PercolateLogging"]),
        .library(name: "PercolateService", targets: ["PercolateService"]),
        .library(name: "PercolateBenchmark", targets: ["PercolateBenchmark"]),
    ],
    traits: [
        .trait(name: "Command", description: "The command percolate can be built."),
        .trait(
            name: "Tests", description: "The tests of this package can be built.",
            enabledTraits: ["Metrics", "Logging", "ServiceLifecycle"]),
        .trait(name: "Metrics", description: "PercolateMetrics, for swift-metrics, can be built."),
        .trait(name: "Logging", description: "PercolateLogging, for swift-log, can be built."),
        .trait(name: "ServiceLifecycle", description: "PercolateService, for swift-service-lifecycle, can be built."),
        .trait(name: "Benchmark", description: "PercolateBenchmark, for the package benchmark, can be built."),
        .default(enabledTraits: ["Command", "Tests"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
        // For `swift package generate-documentation`. Packages that depend on this one do not fetch it.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        .target(
            name: "CPercolate", cSettings: [.headerSearchPath("internal")] + widening + forkHandling + unwinding),
        .systemLibrary(name: "CLinux"),
        .target(name: "CAbortTest"),
        .target(
            name: "PercolateCore", dependencies: ["CPercolate"], path: "Sources/Core",
            swiftSettings: embedded + fencing + childHandling + sampling),
        .target(name: "PercolateCoreHosted", dependencies: ["CPercolate"], path: "Sources/CoreHosted"),
        .target(
            name: "Percolate", dependencies: ["PercolateCoreHosted", "CPercolate"], swiftSettings: api,
            linkerSettings: sharedGates),
        .target(name: "PercolateMetrics", dependencies: ["Percolate", metrics], swiftSettings: integration),
        .target(name: "PercolateLogging", dependencies: ["Percolate", logging], swiftSettings: integration),
        .target(name: "PercolateService", dependencies: ["Percolate", lifecycle], swiftSettings: integration),
        .target(name: "PercolateBenchmark", dependencies: ["Percolate", benchmark], swiftSettings: integration),
        .target(
            name: "percolate_malloc", dependencies: ["PercolateCore", "CPercolate"], path: "LD_PRELOAD",
            exclude: [
                "early-sections.py", "early-sections.txt", "exports.map", "exports.txt", "percolate-gdb.py",
                "Packaging",
            ],
            cSettings: [.headerSearchPath("../Sources/CPercolate/internal")] + widening + unwinding,
            linkerSettings: sharedObject + soname),
        .executableTarget(
            name: "PercolateCommand",
            dependencies: [
                "Percolate", "PercolateCoreHosted", "CPercolate", "CAbortTest", "CLinux", argumentParser,
                systemPackage,
            ]),
        .target(name: "TestSupport", dependencies: [subprocess, systemPackage], path: "Tests/Support"),
        .testTarget(name: "CoreTests", dependencies: ["PercolateCoreHosted", "CPercolate", "TestSupport"]),
        .testTarget(
            name: "VectorTests", dependencies: ["PercolateCoreHosted", "CPercolate", "TestSupport", subprocess]),
        .testTarget(name: "PercolateTests", dependencies: ["Percolate", "TestSupport", subprocess]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "Percolate", "PercolateMetrics", "PercolateLogging", "PercolateService", metrics, logging, lifecycle,
            ] + testKits),
        .testTarget(
            name: "PreloadTests", dependencies: ["TestSupport", subprocess],
            exclude: ["fast-path-budget-x86_64.txt", "fast-path-budget-aarch64.txt"]),
        .testTarget(name: "ProgramTests", dependencies: ["TestSupport", subprocess]),
        .testTarget(name: "CommandTests", dependencies: ["TestSupport", subprocess, systemPackage]),
    ]
)
