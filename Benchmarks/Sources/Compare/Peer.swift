import Foundation

/// An allocator under comparison: a shared object that is preloaded.
public struct Peer: Codable, Equatable, Sendable {
    public var name: String
    /// The file itself, links resolved: that is the name that a process's map shows.
    public var path: String
    /// Where it comes from: the distribution's package and version, or a digest of the file.
    public var origin: String

    public init(name: String, path: String, origin: String) {
        self.name = name
        self.path = path
        self.origin = origin
    }
}

/// The allocators of one comparison, and the ones that are not there.
public struct Peers: Sendable {
    public var found: [Peer] = []
    public var missing: [Skipped] = []

    /// The name that ratios refer to unless told otherwise.
    public static let baseline = "jemalloc"

    private static let libraryFolders = [
        "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
        "/usr/lib64", "/usr/lib", "/usr/local/lib",
    ]

    /// glibc is preloaded like the others, so that a program that is linked with an allocator uses glibc's all the same.
    private static let distributed = [
        ("glibc", "libc.so.6"), ("jemalloc", "libjemalloc.so.2"), ("mimalloc", "libmimalloc.so.2"),
        ("tcmalloc", "libtcmalloc_minimal.so.4"),
    ]

    /// The default peers, and `extra` ones given as `name=path`; one of these replaces a default of the same name.
    public init(extra: [String], checkout: URL) throws(InvalidInput) {
        var wanted = Self.distributed.map { name, file in
            (name, Self.libraryFolders.map { "\($0)/\(file)" })
        }
        wanted.append(("percolate", [checkout.appending(path: ".build/release/libpercolate_malloc.so").path]))
        for text in extra {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[0].wholeMatch(of: /[A-Za-z0-9._-]+/) != nil else {
                throw InvalidInput("a peer is given as name=path, not as '\(text)'")
            }
            guard FileManager.default.isReadableFile(atPath: parts[1]) else {
                throw InvalidInput("the peer \(parts[0]) cannot be read: \(parts[1])")
            }
            wanted.removeAll { $0.0 == parts[0] }
            wanted.append((parts[0], [parts[1]]))
        }
        for (name, candidates) in wanted {
            if let path = candidates.first(where: { FileManager.default.isReadableFile(atPath: $0) }) {
                let resolved = URL(filePath: path).resolvingSymlinksInPath().path
                found.append(Peer(name: name, path: resolved, origin: Provenance.of(resolved)))
            } else {
                missing.append(Skipped(name: name, reason: "no file \(candidates.map(\.lastPathPart).first ?? name)"))
            }
        }
    }
}

extension String {
    fileprivate var lastPathPart: String { URL(filePath: self).lastPathComponent }
}
