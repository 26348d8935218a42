import Foundation
import TestSupport
import Testing

/// A clone of this checkout, as committed: what a package manager fetches.
enum CommittedClone {
    /// Makes it in `folder`, under the name `percolate`, with the commit as its branch `main` and,
    /// when there is a `tag`, under that tag.
    static func make(in folder: URL, tag: String? = nil) async throws {
        let clone = folder.appending(path: "percolate").path
        try await require("git", "clone", "--quiet", Checkout.root.path, clone)
        try await require("git", "-C", clone, "checkout", "--quiet", "-B", "main")
        // The checkout may have the tag already, on another commit.
        if let tag { try await require("git", "-C", clone, "tag", "--force", tag) }
    }
}

/// Runs a program that prepares a test, and fails the test with what it said when it does not
/// succeed.
func require(_ program: String, _ arguments: String...) async throws {
    let outcome = try await run(program, arguments, under: .glibc, timeout: .seconds(1500))
    try #require(
        outcome.succeeded, "\(program) \(arguments): \(outcome.output.suffix(4000)) \(outcome.errors.suffix(4000))")
}

extension CommittedClone {
    /// Copies a package of the clone, which lies in its folder `path`, to `folder`, where it
    /// depends on the clone beside it. Returns the copy.
    static func extract(_ path: String, to folder: URL) async throws -> URL {
        try await make(in: folder)
        let package = folder.appending(path: "outside")
        try FileManager.default.copyItem(at: folder.appending(path: "percolate/\(path)"), to: package)
        let manifest = package.appending(path: "Package.swift")
        var text = try String(contentsOf: manifest, encoding: .utf8)
        let inside = #"path: "../..""#
        try #require(text.components(separatedBy: inside).count == 2, "\(path) depends on this package otherwise")
        text.replace(inside, with: #"path: "../percolate""#)
        try text.write(to: manifest, atomically: true, encoding: .utf8)
        return package
    }
}
