import SystemPackage

/// Why a program was not traced. It was not started either.
enum TraceFailure: Error {
    case run(RunFailure)
    case output(FilePath, Errno)
    /// The library cannot be copied to the folder.
    case copy(FilePath, Errno)
    case notExecutable(FilePath)
    case noProbes(FilePath, missing: ProbeName)
    case unreadableProbes(FilePath, ELFError)
    case noUprobes(FilePath)
    case noSemaphores
    case noPermission(Errno, hasCapability: Bool)
    case probe(String, Errno)
    case ring(Errno)
    case process(Errno)

    var exitCode: Int32 {
        if case .run(let failure) = self { failure.exitCode } else { 125 }
    }

    var sentence: String {
        switch self {
        case .run(let failure): failure.sentence
        case .output(let path, let error): "cannot write the trace to \(path): \(error)"
        case .copy(let folder, let error):
            "cannot trace: the program's own copy of the library cannot be made in \(folder) (\(error)); "
                + "name another folder in TMPDIR"
        case .notExecutable(let folder):
            "cannot trace: no code can be executed from \(folder), where the program's own copy of the library would be "
                + "(it is mounted noexec); name another folder in TMPDIR"
        case .noProbes(let path, let missing):
            "cannot trace: \(path) has no probe \(missing.rawValue); it is of another version than this command"
        case .unreadableProbes(let path, let error):
            "cannot trace: the probes of \(path) cannot be read: \(error.sentence)"
        case .noUprobes(let folder):
            "cannot trace: \(folder) does not exist, so either /sys is not mounted or this kernel has no probes in programs "
                + "(it takes Linux 4.20 with CONFIG_UPROBE_EVENTS)"
        case .noSemaphores:
            "cannot trace: this kernel cannot raise the semaphores of probes (it takes Linux 4.20)"
        case .noPermission(let error, hasCapability: false):
            "cannot trace: the kernel refuses probes to this process (\(error)), which lacks CAP_SYS_ADMIN: run it as root, and in "
                + "a container that is given SYS_ADMIN and allows perf_event_open"
        case .noPermission(let error, hasCapability: true):
            "cannot trace: the kernel refuses probes to this process (\(error)) although it has CAP_SYS_ADMIN: a system-call filter, "
                + "a user namespace or a security module forbids perf_event_open, as containers do by default"
        case .probe(let name, let error): "cannot trace: the kernel does not place the probe \(name): \(error)"
        case .ring(let error): "cannot trace: the kernel gives no buffer for events: \(error)"
        case .process(let error): "cannot trace: \(error)"
        }
    }
}
