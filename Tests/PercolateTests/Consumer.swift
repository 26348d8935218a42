import Foundation
import TestSupport
import Testing

/// A package of a new user, in a folder of its own, that depends on a tagged clone of this
/// checkout, as committed.
actor Consumer {
    static let debug = Consumer("debug")
    static let release = Consumer("release")

    private let configuration: String
    private var build: Task<URL, any Error>?

    init(_ configuration: String) { self.configuration = configuration }

    /// The folder of the built executables.
    func products() async throws -> URL {
        if let build { return try await build.value }
        let configuration = configuration
        let task = Task {
            let folder = RunFolder.url.appending(path: "consumer-\(configuration)")
            let manager = FileManager.default
            try manager.createDirectory(at: folder, withIntermediateDirectories: true)
            try await CommittedClone.make(in: folder, tag: "0.1.0")
            let package = folder.appending(path: "consumer")
            try manager.copyItem(at: Checkout.programs.appending(path: "Consumer"), to: package)
            try await require("swift", "build", "-c", configuration, "--package-path", package.path)
            return package.appending(path: ".build/\(configuration)")
        }
        build = task
        return try await task.value
    }
}
