import CJemalloc
import Foundation

/// The functions of one allocator, out of its own library: several stand side by side in this process, whose own malloc
/// stays glibc's.
struct Allocator: Sendable {
    typealias Malloc = @convention(c) (Int) -> UnsafeMutableRawPointer?
    typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Void
    typealias Calloc = @convention(c) (Int, Int) -> UnsafeMutableRawPointer?
    typealias Realloc = @convention(c) (UnsafeMutableRawPointer?, Int) -> UnsafeMutableRawPointer?
    typealias SizedFree = @convention(c) (UnsafeMutableRawPointer?, Int) -> Void

    let name: String
    let malloc: Malloc
    let free: Free
    let calloc: Calloc
    let realloc: Realloc
    /// The sized operator delete. glibc has none: libstdc++'s forgets the size and calls `free`.
    let sizedFree: SizedFree?

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    init(name: String, library: String) throws(Missing) {
        guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
            throw Missing(description: String(cString: dlerror()))
        }
        func symbol<T>(_ name: String, _ type: T.Type) throws(Missing) -> T {
            guard let address = dlsym(handle, name) else {
                throw Missing(description: "\(library) has no function \(name)")
            }
            return unsafeBitCast(address, to: type)
        }
        self.name = name
        malloc = try symbol("malloc", Malloc.self)
        free = try symbol("free", Free.self)
        calloc = try symbol("calloc", Calloc.self)
        realloc = try symbol("realloc", Realloc.self)
        sizedFree = name == "glibc" ? nil : try symbol("_ZdlPvm", SizedFree.self)
    }

    /// jemalloc first, so that the others are read against it. One that is not there is named on standard error.
    static func all() -> [Allocator] {
        let libraries = [
            ("jemalloc", "libjemalloc.so.2"), ("percolate", percolate), ("glibc", "libc.so.6"),
        ]
        return libraries.compactMap { name, library in
            do {
                return try Allocator(name: name, library: library)
            } catch {
                FileHandle.standardError.write(Data("\(name) is left out: \(error)\n".utf8))
                return nil
            }
        }
    }

    /// The parent package's release build, or the folder `PERCOLATE_BUILD`.
    private static var percolate: String {
        let file = "libpercolate_malloc.so"
        if let folder = ProcessInfo.processInfo.environment["PERCOLATE_BUILD"] { return "\(folder)/\(file)" }
        return URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: ".build/release/\(file)").path
    }

    /// The version that the linked jemalloc reports, against the header's.
    static func jemallocVersion() -> String {
        var version: UnsafePointer<CChar>?
        var size = MemoryLayout<UnsafePointer<CChar>?>.size
        guard mallctl("version", &version, &size, nil, 0) == 0, let version else { return "unknown" }
        return "\(String(cString: version)), header \(String(cString: jemalloc_header_version()))"
    }
}
