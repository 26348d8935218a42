import Glibc
import SystemPackage

/// Finds the file that `execvp` will execute for a name.
enum ProgramSearch {
    /// The path of the file, nil when there is none that this process may execute.
    static func path(of name: String) -> FilePath? {
        guard !name.isEmpty else { return nil }
        if name.contains("/") { return isExecutable(FilePath(name)) ? FilePath(name) : nil }
        // Where PATH is not set, glibc looks in these.
        let list = EnvironmentVariable.path.value.map { String(decoding: $0, as: UTF8.self) } ?? "/bin:/usr/bin"
        for folder in list.split(separator: ":", omittingEmptySubsequences: false) {
            // An empty entry is the current directory.
            let candidate = folder.isEmpty ? FilePath(name) : FilePath(String(folder)).appending(name)
            if isExecutable(candidate) { return candidate }
        }
        return nil
    }

    private static func isExecutable(_ path: FilePath) -> Bool {
        var status = stat()
        return path.withPlatformString { stat($0, &status) == 0 && access($0, X_OK) == 0 }
            && status.st_mode & S_IFMT == S_IFREG
    }
}
