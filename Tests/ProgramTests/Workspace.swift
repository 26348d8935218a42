import Foundation
import TestSupport

/// The folders of one comparison, below the temporary folder, open to every user: PostgreSQL's
/// processes belong to a user who may not be able to enter the checkout, so they get a copy of the
/// shared object.
struct Workspace {
    private let root: URL
    /// The copy of the shared object.
    let library: String
    /// Every process adds its id to this path and writes its statistics there.
    let statisticsPrefix: String

    init(named name: String) throws {
        let process = ProcessInfo.processInfo.processIdentifier
        root = FileManager.default.temporaryDirectory.appending(path: "percolate-\(process)-\(name)")
        let statistics = root.appending(path: "statistics")
        library = root.appending(path: "libpercolate_malloc.so").path
        statisticsPrefix = statistics.appending(path: "process").path
        try FileManager.default.createDirectory(
            at: root, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        try FileManager.default.createDirectory(at: statistics, withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: statistics.path)
        let built = URL(filePath: Checkout.library).resolvingSymlinksInPath()
        try FileManager.default.copyItem(atPath: built.path, toPath: library)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: library)
    }

    /// An empty folder, always at the same path: compilers and others put the path into what they
    /// write.
    func emptyFolder() throws -> URL {
        let folder = root.appending(path: "work")
        if FileManager.default.fileExists(atPath: folder.path) { try FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        return folder
    }

    /// Removes all of it. What cannot be removed stays in the temporary folder, and is no concern
    /// of the test.
    func remove() {
        try? FileManager.default.removeItem(at: root)
    }
}
