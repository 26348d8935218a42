import Glibc
import SystemPackage

enum WorkingDirectory {
    /// The current directory's path. Throws `noSuchFileOrDirectory` when it has been removed.
    static func path() throws(Errno) -> FilePath {
        guard let text = getcwd(nil, 0) else { throw Errno(rawValue: errno) }
        defer { free(text) }
        return FilePath(platformString: text)
    }
}
