import CLinux
import Glibc
import SystemPackage

/// The program, as a child of this process.
struct TracedProgram {
    enum End {
        case exited(Int32)
        case signaled(Int32)
    }

    let process: pid_t

    /// Starts the program that this process's last `count` arguments name. When it cannot be
    /// executed, `failure` says how that is said.
    init(lastArguments count: Int, signals: SignalRelay, failure: (Errno) -> RunFailure) throws(TraceFailure) {
        // The error of `exec` comes through a pipe that a successful one closes.
        var ends: [Int32] = [-1, -1]
        guard linux_private_pipe(&ends) == 0 else { throw .process(Errno(rawValue: errno)) }
        defer { close(ends[0]) }
        process = linux_fork()
        if process == 0 {
            signals.restore()
            var error = ProcessReplacement.execute(lastArguments: count).rawValue
            _ = write(ends[1], &error, MemoryLayout.size(ofValue: error))
            _exit(127)
        }
        close(ends[1])
        guard process > 0 else { throw .process(Errno(rawValue: errno)) }
        var error: Int32 = 0
        var received: Int
        repeat {
            received = read(ends[0], &error, MemoryLayout.size(ofValue: error))
        } while received < 0 && errno == EINTR
        guard received == 0 else {
            waitpid(process, nil, 0)
            throw .run(failure(Errno(rawValue: error)))
        }
    }

    /// Takes note of children that have ended: the program, and its descendants whose own parent
    /// ended before.
    ///
    /// - Returns: how the program has ended, nil while it runs.
    func reap() -> End? {
        var end: End?
        while true {
            var status: Int32 = 0
            let child = waitpid(-1, &status, WNOHANG)
            if child < 0, errno == EINTR { continue }
            guard child > 0 else { return end }
            // The low seven bits hold the signal; a normal end has none, and its status in the byte
            // above (wait(2)).
            if child == process { end = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signaled(status & 0x7F) }
        }
    }

    /// Whether descendants of the program still run, which this process has adopted. Only after the
    /// program's end.
    static var descendantsRun: Bool { waitpid(-1, nil, WNOHANG) == 0 }
}
