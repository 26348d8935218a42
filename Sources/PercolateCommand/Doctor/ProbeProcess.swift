import CLinux
import Glibc
import SystemPackage

/// A child process whose standard error is collected. Its other streams are `/dev/null`.
struct ProbeProcess {
    enum End: Equatable {
        case exited(Int32)
        case signaled(Int32)
        /// It was killed because it had not ended in time.
        case timedOut
    }

    let end: End
    let errors: String

    /// The longest time that the child may keep silent.
    private static let patience: Int32 = 10_000

    /// Runs `executable` with this process's environment.
    init(_ executable: FilePath, _ arguments: [String]) throws(Errno) {
        var ends: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutableBytes(of: &ends) { pipe($0.baseAddress?.assumingMemoryBound(to: Int32.self)) }
        guard made == 0 else { throw Errno(rawValue: errno) }
        let (reading, writing) = ends
        defer { close(reading) }
        let child: pid_t
        do {
            defer { close(writing) }
            child = try Self.start(executable, arguments, errors: writing, closing: reading)
        }
        let (output, silent) = Self.collect(from: reading)
        if silent { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
        errors = String(decoding: output, as: UTF8.self)
        // The low seven bits hold the signal; a normal end has none, and its status in the byte
        // above (wait(2)).
        end = silent ? .timedOut : status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signaled(status & 0x7F)
    }

    private static func start(
        _ executable: FilePath, _ arguments: [String], errors: Int32, closing other: Int32
    ) throws(Errno) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        try check(posix_spawn_file_actions_init(&actions))
        defer { posix_spawn_file_actions_destroy(&actions) }
        try check(posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0))
        try check(posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0))
        try check(posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO))
        try check(posix_spawn_file_actions_addclose(&actions, errors))
        try check(posix_spawn_file_actions_addclose(&actions, other))

        var pointers = ([executable.string] + arguments).map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        var child: pid_t = 0
        try check(
            executable.withPlatformString {
                posix_spawn(&child, $0, &actions, nil, pointers, linux_environment())
            })
        return child
    }

    private static func check(_ result: Int32) throws(Errno) {
        if result != 0 { throw Errno(rawValue: result) }
    }

    /// All that arrives until the other end is closed, and whether it fell silent before.
    private static func collect(from descriptor: Int32) -> ([UInt8], silent: Bool) {
        var output: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&wait, 1, patience)
            if ready == 0 { return (output, true) }
            let count = read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return (output, false) }
            output += part[..<count]
        }
    }
}
