import ArgumentParser
import Glibc
import SystemPackage

/// Where the statistics go when the program ends.
enum StatisticsDestination: ExpressibleByArgument, CustomStringConvertible, Sendable {
    case standardError
    case file(ArgumentPath)

    init?(argument: String) {
        guard let path = ArgumentPath(argument: argument) else { return nil }
        self = .file(path)
    }

    var description: String {
        switch self {
        case .standardError: "standard error"
        case .file(let file): file.path.string
        }
    }

    /// The options that make this process's statistics end up there, and those of its children
    /// beside them.
    ///
    /// `exec` keeps the process id, so this process is the program whose statistics get exactly the
    /// name asked for.
    func options() throws(RunFailure) -> [String] {
        switch self {
        case .standardError: return ["stats=stderr"]
        case .file(let file):
            let path: FilePath
            do { path = try file.absolute() } catch { throw .statistics(file.path, error) }
            guard !path.string.contains(",") else { throw .commaInStatisticsPath(path) }
            try Self.clear(path)
            return ["stats=\(path.string)", "main=\(getpid())"]
        }
    }

    /// Finds out now, rather than at the program's end, that the file cannot be written, and leaves
    /// no statistics of an earlier run for those of this one: a program that a signal kills leaves
    /// no file. Terminals, pipes and the like are left alone: opening them has effects.
    private static func clear(_ path: FilePath) throws(RunFailure) {
        var status = stat()
        if path.withPlatformString({ stat($0, &status) }) == 0 {
            let kind = status.st_mode & S_IFMT
            guard kind == S_IFREG || kind == S_IFDIR else { return }
        }
        do {
            try throwingErrno {
                let permissions: FilePermissions = [.ownerReadWrite, .groupReadWrite, .otherReadWrite]
                try FileDescriptor.open(path, .writeOnly, options: [.create, .truncate], permissions: permissions)
                    .close()
            }
            // In a folder where nothing can be removed, the file stays, and is empty.
            _ = path.withPlatformString { unlink($0) }
        } catch {
            throw .statistics(path, error)
        }
    }
}
