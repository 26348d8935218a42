import SystemPackage

/// The shared object that is preloaded: a path that exists, that this machine's loader can load,
/// and that `LD_PRELOAD` can express.
struct PreloadLibrary {
    static let fileName = "libpercolate_malloc.so"
    /// The name under which it is installed for programs, also where the files for development are
    /// not.
    static let installedName = "libpercolate_malloc.so.0"
    /// What every version of the library defines, and nothing else does.
    static let interfaceName = "percolate_heap_interface"

    let path: FilePath

    /// The library at a path of the user's.
    init(at argument: ArgumentPath) throws(RunFailure) {
        do { path = try argument.absolute() } catch { throw .unusableLibrary(argument.path, "\(error)") }
        try Self.check(path)
    }

    /// The library at a path that need not be made absolute.
    init(checking path: FilePath) throws(RunFailure) {
        try Self.check(path)
        self.path = path
    }

    /// The library that was installed or built together with this command.
    init() throws(RunFailure) {
        let candidates = Self.candidates()
        guard let found = candidates.first(where: \.exists) else {
            throw .noLibrary(searched: candidates)
        }
        try Self.check(found)
        path = found
    }

    /// Beside the command, as in a build folder, or in one of the folders of libraries beside its
    /// `bin`, as when installed.
    static func candidates() -> [FilePath] {
        let folder = CommandExecutable.path.removingLastComponent()
        let above = folder.removingLastComponent()
        return [folder.appending(fileName), above.appending("lib").appending(fileName)]
            + libraryFolders.map { above.appending($0).appending(installedName) }
    }

    /// What systems call it: most of them, Debian, Fedora.
    private static var libraryFolders: [String] {
        #if arch(arm64)
            ["lib", "lib/aarch64-linux-gnu", "lib64"]
        #else
            ["lib", "lib/x86_64-linux-gnu", "lib64"]
        #endif
    }

    private static func check(_ path: FilePath) throws(RunFailure) {
        // The loader knows no way to quote these (ld.so(8)).
        guard !path.string.contains(where: { $0 == ":" || $0 == " " }) else {
            throw .unusableLibrary(path, "LD_PRELOAD cannot express a path with a colon or a space")
        }
        let file: ELFFile
        do { file = try ELFFile(at: path) } catch {
            throw .unusableLibrary(path, error.sentence)
        }
        guard file.machine == .native else {
            throw .unusableLibrary(path, "it is built for \(file.machine), and this machine is \(ELFMachine.native)")
        }
        guard file.kind == .shared else { throw .unusableLibrary(path, "it is no shared object") }
        guard file.dynamic?.defined.contains(interfaceName) == true else {
            throw .unusableLibrary(path, "it is not Percolate (it does not define \(interfaceName))")
        }
    }
}
