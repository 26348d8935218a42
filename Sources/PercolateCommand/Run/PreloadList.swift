import Glibc
import SystemPackage

/// The value of `LD_PRELOAD`: Percolate first, so that its `malloc` is the one that every object
/// finds, then whatever the user preloads already.
struct PreloadList {
    let bytes: [UInt8]

    /// Entries of `existing` that name the library's file are dropped, and those that name the file
    /// that it is a copy of: it is never listed twice.
    init(_ library: PreloadLibrary, copyOf original: PreloadLibrary? = nil, existing: [UInt8]?) {
        let others = (existing ?? [])
            .split { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: " ") }
            .filter { entry in ![library, original].contains { $0.map { Self.isFile(entry, at: $0.path) } ?? false } }
        bytes = Array(([ArraySlice(library.path.string.utf8)] + others).joined(separator: [UInt8(ascii: ":")]))
    }

    private static func isFile(_ entry: ArraySlice<UInt8>, at path: FilePath) -> Bool {
        var (left, right) = (stat(), stat())
        let text = entry.map { CChar(bitPattern: $0) } + [0]
        guard stat(text, &left) == 0, path.withPlatformString({ stat($0, &right) }) == 0 else { return false }
        return left.st_dev == right.st_dev && left.st_ino == right.st_ino
    }
}
