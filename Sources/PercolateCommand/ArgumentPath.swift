import ArgumentParser
import SystemPackage

/// A path given as an option's value, not empty and valid UTF-8 (the parser repairs what is not,
/// and so names another file than the user meant).
struct ArgumentPath: ExpressibleByArgument, Sendable {
    let path: FilePath

    init?(argument: String) {
        guard !argument.isEmpty, !argument.unicodeScalars.contains("\u{FFFD}") else { return nil }
        path = FilePath(argument)
    }

    /// The path from the root, so that it still names the same file after the program has changed
    /// its directory.
    ///
    /// Throws when the current directory has no name any more.
    func absolute() throws(Errno) -> FilePath {
        if path.isAbsolute { return path }
        return try WorkingDirectory.path().pushing(path)
    }
}
