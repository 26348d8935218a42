import Glibc
import SystemPackage

enum CommandExecutable {
    /// The file that this process executes, symbolic links resolved. Empty only where `/proc` is
    /// not mounted.
    static var path: FilePath {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        return length > 0 ? FilePath(platformString: buffer) : FilePath()
    }
}
