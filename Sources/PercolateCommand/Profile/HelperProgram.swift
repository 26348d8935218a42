import CLinux
import Glibc
import SystemPackage

/// A program that is run for its output.
enum HelperProgram {
    /// What `path` writes to standard output; nil where it cannot be run or fails. Its errors are
    /// of no interest.
    static func output(of path: FilePath, _ arguments: [String]) -> String? {
        var ends: [Int32] = [-1, -1]
        guard linux_private_pipe(&ends) == 0 else { return nil }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var strings = ([path.string] + arguments).map { strdup($0) }
        defer { for string in strings { free(string) } }
        strings.append(nil)
        var child: pid_t = 0
        let error = path.withPlatformString {
            posix_spawn(&child, $0, &actions, nil, strings, linux_environment())
        }
        close(ends[1])
        defer { close(ends[0]) }
        guard error == 0 else { return nil }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
