import Foundation

/// A new folder, which goes with its owner.
public final class TemporaryFolder: Sendable {
    public let url: URL

    public init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "percolate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(at: url)
        } catch {
            fatalError("cannot remove \(url.path): \(error)")
        }
    }

    public func path(_ name: String) -> String { url.appending(path: name).path }
}

/// The folder of this test process, for what several tests use. Removed when the process exits.
public enum RunFolder {
    public static let url: URL = {
        // A path that never existed is no failure: a process that builds nothing makes no folder.
        atexit { try? FileManager.default.removeItem(at: RunFolder.url) }
        return FileManager.default.temporaryDirectory
            .appending(path: "percolate-tests-\(ProcessInfo.processInfo.processIdentifier)")
    }()
}
