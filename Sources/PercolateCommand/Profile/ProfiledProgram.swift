import CLinux
import Glibc
import SystemPackage

/// A program that is started to be profiled, as a child of this process. It runs as it would
/// otherwise; only at its end it waits until its memory has been read.
struct ProfiledProgram {
    enum End {
        case exited(Int32)
        case signaled(Int32)

        var exitCode: Int32 {
            switch self {
            case .exited(let code): code
            case .signaled(let number): 128 + number
            }
        }
    }

    let process: pid_t

    /// Starts the program that this process's last `count` arguments name.
    ///
    /// The child waits until it is traced, so that its end cannot be missed; what `exec` says comes
    /// through a pipe that a successful one closes.
    init(lastArguments count: Int, failure: (Errno) -> RunFailure) throws(RunFailure) {
        var go: [Int32] = [-1, -1]
        var ends: [Int32] = [-1, -1]
        guard linux_private_pipe(&go) == 0, linux_private_pipe(&ends) == 0 else {
            throw failure(Errno(rawValue: errno))
        }
        let child = linux_fork()
        if child == 0 {
            close(go[1])
            var byte: UInt8 = 0
            guard read(go[0], &byte, 1) == 1 else { _exit(125) }
            var error = ProcessReplacement.execute(lastArguments: count).rawValue
            _ = write(ends[1], &error, MemoryLayout.size(ofValue: error))
            _exit(127)
        }
        close(go[0])
        close(ends[1])
        defer { close(ends[0]) }
        guard child > 0, linux_watch_end(child) == 0 else {
            let error = Errno(rawValue: errno)
            close(go[1])
            if child > 0 { waitpid(child, nil, 0) }
            throw failure(error)
        }
        // What the terminal sends reaches the program too; this process stays to write the profile.
        for number in [SIGINT, SIGQUIT] { linux_ignore_signal(number) }
        var byte: UInt8 = 1
        _ = write(go[1], &byte, 1)
        close(go[1])
        var error: Int32 = 0
        var received: Int
        repeat {
            received = read(ends[0], &error, MemoryLayout.size(ofValue: error))
        } while received < 0 && errno == EINTR
        process = child
        guard received == 0 else {
            _ = wait(seconds: nil) {}
            throw failure(Errno(rawValue: error))
        }
    }

    /// Waits for the program's end, and calls `atEnd` while its memory is still there; a program
    /// that SIGKILL ends gives no time for that. Nil when `seconds` have passed.
    func wait(seconds: Double?, atEnd: () -> Void) -> End? {
        let end = seconds.map { MonotonicClock.nanoseconds + UInt64($0 * 1e9) }
        while true {
            var status: Int32 = 0
            let child = waitpid(process, &status, end == nil ? 0 : WNOHANG)
            if child < 0, errno == EINTR { continue }
            guard child != 0 else {
                if let end, MonotonicClock.nanoseconds >= end { return nil }
                usleep(5000)
                continue
            }
            guard child > 0 else { return .exited(0) }
            let number = status >> 8 & 0xFF
            guard status & 0xFF == 0x7F else {
                return status & 0x7F == 0 ? .exited(number) : .signaled(status & 0x7F)
            }
            switch Int(status >> 16 & 0xFF) {
            case LINUX_END_EVENT:
                atEnd()
                linux_continue(process, 0)
            case LINUX_STOP_EVENT where [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].contains(number):
                linux_stay_stopped(process)
            case LINUX_STOP_EVENT: linux_continue(process, 0)
            default: linux_continue(process, number)
            }
        }
    }
}
