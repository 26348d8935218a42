import CLinux
import Glibc
import SystemPackage

/// The signals of this process while a program runs for it: they wait in a descriptor, and those
/// that were meant for the program are passed on.
struct SignalRelay {
    let descriptor: Int32
    /// What was blocked before, for the program.
    private let previous: sigset_t
    private let ignoresChildren: Bool

    /// What people and supervisors send to a program by its process id.
    private static let passedOn = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2]

    init() throws(TraceFailure) {
        var set = sigset_t()
        var before = sigset_t()
        sigemptyset(&set)
        // A write to a closed pipe is then an error like others.
        for number in Self.passedOn + [SIGCHLD, SIGPIPE] { sigaddset(&set, number) }
        // Ignored, it would lose the program's exit status.
        ignoresChildren = linux_ignores(SIGCHLD) != 0
        if ignoresChildren { linux_reset_signal(SIGCHLD) }
        sigprocmask(SIG_BLOCK, &set, &before)
        previous = before
        sigdelset(&set, SIGPIPE)
        descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard descriptor >= 0 else { throw .process(Errno(rawValue: errno)) }
    }

    /// Gives the signals back, in a child that will be the program.
    func restore() {
        if ignoresChildren { linux_ignore_signal(SIGCHLD) }
        var mask = previous
        sigprocmask(SIG_SETMASK, &mask, nil)
    }

    /// Passes on what has arrived. What the terminal sent reaches the whole foreground group, so
    /// the program has it already.
    func pass(to process: pid_t) {
        var signal = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while read(descriptor, &signal, size) == size {
            let number = Int32(bitPattern: signal.ssi_signo)
            if number != SIGCHLD, signal.ssi_code <= 0 { kill(process, number) }
        }
    }

    /// Ends this process by a signal, as the program has ended.
    func end(by number: Int32) -> Never {
        // The program has left a core file where it was to.
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        linux_reset_signal(number)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        kill(getpid(), number)
        sigprocmask(SIG_UNBLOCK, &set, nil)
        // Not reached by signals that end a process.
        exit(128 + number)
    }
}
