import Foundation
import Synchronization
import TestSupport

/// A variant of the shared object that only tests use, as a control: `Tests/build-variants` builds
/// it.
struct TestBuild {
    let variant: String
    /// An environment variable that names a folder with the variant, for a run that should not
    /// build it.
    let variable: String

    /// In sections, a delay between the load and the commit; closes fence as they should.
    static let widened = TestBuild(variant: "widened", variable: "PERCOLATE_BUILD_WIDENED")
    /// The same delay, and closes without the fence.
    static let noFence = TestBuild(variant: "widened-without-fence", variable: "PERCOLATE_BUILD_NO_FENCE")
    /// Samples at refills only. And the target of a refused mremap(2) counts as mapped.
    static let refillSamples = TestBuild(variant: "refill-samples", variable: "PERCOLATE_BUILD_REFILL_SAMPLES")
    /// No fork handlers.
    static let noForkHandlers = TestBuild(variant: "without-fork-handlers", variable: "PERCOLATE_BUILD_NO_ATFORK")

    /// The path of the variant's shared object, built on first use in a test run.
    func library() async throws -> String {
        if let folder = ProcessInfo.processInfo.environment[variable] { return Self.library(in: folder) }
        return Self.library(in: try await VariantBuilder.shared.folder(of: variant))
    }

    private static func library(in folder: String) -> String { "\(folder)/libpercolate_malloc.so" }
}

/// Builds each variant once per test run.
private actor VariantBuilder {
    static let shared = VariantBuilder()

    private var builds: [String: Task<String, any Error>] = [:]

    func folder(of variant: String) async throws -> String {
        if let build = builds[variant] { return try await build.value }
        let build = Task {
            let script = Checkout.root.appending(path: "Tests/build-variants").path
            let outcome = try await run(script, [variant], under: .glibc, timeout: .seconds(900))
            guard outcome.succeeded, let folder = outcome.output.split(separator: "\n").last else {
                throw VariantDoesNotBuild(description: outcome.errors)
            }
            return String(folder)
        }
        builds[variant] = build
        return try await build.value
    }
}

/// A variant of the shared object did not build.
struct VariantDoesNotBuild: Error, CustomStringConvertible {
    let description: String
}
