import Glibc
import SystemPackage

/// A copy of the library for one traced program and what it starts. Probes belong to a file, so
/// with a file of its own no other process on Percolate is slowed down or shown, and every thread
/// and child is.
struct LibraryCopy {
    let library: PreloadLibrary
    private let original: FilePath
    private let folder: FilePath

    init(of original: PreloadLibrary) throws(TraceFailure) {
        let parent = Self.temporaryFolder
        var template = parent.appending("percolate-trace-XXXXXX").string.utf8CString
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } != nil }
        guard made else { throw .copy(parent, Errno(rawValue: errno)) }
        folder = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        self.original = original.path
        let path = folder.appending(PreloadLibrary.fileName)
        do throws(Errno) {
            try Self.copy(original.path, to: path)
            // Children may run as other users.
            guard folder.withPlatformString({ chmod($0, 0o755) }) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            Self.remove(path, folder)
            throw .copy(parent, error)
        }
        guard Self.mayExecute(path) else {
            Self.remove(path, folder)
            throw .notExecutable(parent)
        }
        do {
            library = try PreloadLibrary(checking: path)
        } catch {
            Self.remove(path, folder)
            throw .run(error)
        }
    }

    /// Takes the copy away. Where processes go on that will execute others, its name must still be
    /// one of the library: it then becomes a link to the original.
    ///
    /// - Returns: what stays.
    func remove(leavingLink: Bool) -> FilePath? {
        Self.remove(library.path, leavingLink ? nil : folder)
        guard leavingLink else { return nil }
        let isLinked = original.withPlatformString { target in library.path.withPlatformString { symlink(target, $0) } }
        return isLinked == 0 ? folder : nil
    }

    private static var temporaryFolder: FilePath {
        guard let value = EnvironmentVariable.temporaryFolder.value,
            let argument = ArgumentPath(argument: String(decoding: value, as: UTF8.self)),
            let path = try? argument.absolute()
        else { return "/tmp" }
        return path
    }

    private static func copy(_ source: FilePath, to target: FilePath) throws(Errno) {
        try throwingErrno {
            let input = try FileDescriptor.open(source, .readOnly, options: [.closeOnExec])
            try input.closeAfter {
                let output = try FileDescriptor.open(
                    target, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                    permissions: [.ownerReadWriteExecute, .groupRead, .groupExecute, .otherRead, .otherExecute])
                try output.closeAfter {
                    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
                    defer { buffer.deallocate() }
                    while case let count = try input.read(into: buffer), count > 0 {
                        try output.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    }
                }
                // The mode that was asked for is less what the umask takes away.
                guard target.withPlatformString({ chmod($0, 0o755) }) == 0 else { throw Errno(rawValue: errno) }
            }
        }
    }

    /// Whether the file can be mapped as code, which a mount can forbid.
    private static func mayExecute(_ path: FilePath) -> Bool {
        let descriptor = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let memory = mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, descriptor, 0)
        guard memory != MAP_FAILED else { return false }
        munmap(memory, 4096)
        return true
    }

    private static func remove(_ path: FilePath, _ folder: FilePath?) {
        // A file that is gone already is as good as removed.
        _ = path.withPlatformString { unlink($0) }
        if let folder { _ = folder.withPlatformString { rmdir($0) } }
    }
}
