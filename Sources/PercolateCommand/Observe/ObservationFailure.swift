import Glibc
import SystemPackage

/// Why a process cannot be looked at.
enum ObservationFailure: Error {
    case noProc
    case noProcess(pid_t)
    case ended(pid_t)
    case zombie(pid_t)
    case replaced(pid_t)
    case refused(pid_t, Errno)
    case noMemory(pid_t)
    case notServed(pid_t, linksAPI: Bool)
    case otherVersion(pid_t, theirs: UInt32, ours: UInt32)
    case otherLayout(pid_t)
    case notStarted(pid_t)
    case unanswered(pid_t, hasScavenger: Bool)
    case noSampling(pid_t)
    case writeRefused(pid_t, Errno)
    case output(FilePath, Errno)
    case notProfile(FilePath, String)
    case emptyProfile(pid_t, seconds: Double)
    case notTerminal

    var sentence: String {
        switch self {
        case .noProc:
            "cannot look at processes: /proc is not mounted, or not that of this command's PID namespace"
        case .noProcess(let process): "there is no process \(process)"
        case .ended(let process): "process \(process) ended meanwhile"
        case .zombie(let process):
            "process \(process) has ended; its parent has not yet taken note of it"
        case .replaced(let process): "process \(process) executed another program meanwhile"
        case .refused(let process, let error): Self.refusal(process, error)
        case .noMemory(let process):
            "process \(process) is a thread of the kernel: it has no memory of its own"
        case .notServed(let process, linksAPI: false):
            "process \(process) is not served by Percolate: start it by 'percolate run', or link percolate_malloc"
        case .notServed(let process, linksAPI: true):
            "process \(process) links Percolate's Swift API but not its malloc: only a process with libpercolate_malloc.so can be "
                + "looked at; link the product percolate_malloc, or start it by 'percolate run'"
        case .otherVersion(let process, let theirs, let ours):
            "process \(process) runs on another version of Percolate: its observation version is \(theirs), this command's is \(ours)"
        case .otherLayout(let process):
            "process \(process) runs on another build of Percolate, whose observation this command cannot read: use the command beside its library"
        case .notStarted(let process):
            "process \(process) has Percolate loaded but has not allocated anything yet"
        case .unanswered(let process, let hasScavenger):
            "process \(process) has not yet done what was asked: it has not allocated or freed since"
                + (hasScavenger
                    ? ", and its scavenger rests;" : ", and it has no scavenger thread;")
                + " the request stays and is served by its next allocation"
        case .noSampling(let process):
            "the Percolate of process \(process) was built without sampled blocks"
        case .writeRefused(let process, let error): "cannot ask process \(process): \(error)"
        case .output(let path, let error): "cannot write \(path): \(error)"
        case .notProfile(let path, let reason): "cannot compare with \(path): \(reason)"
        case .emptyProfile(let process, let seconds):
            "process \(process) had no sampled block within \(seconds) seconds; ask for a longer time (--seconds) or a smaller --rate"
        case .notTerminal:
            "top needs a terminal; 'percolate stats' writes the same figures to pipes and files"
        }
    }

    /// What may be in the way of reading a process's memory, most likely first (ptrace(2), Ptrace
    /// access mode checking).
    private static func refusal(_ process: pid_t, _ error: Errno) -> String {
        let files = ProcessFiles(process: process)
        let name = "cannot read the memory of process \(process)"
        guard let owner = files.owner else { return "process \(process) ended meanwhile" }
        if geteuid() != 0, owner != geteuid() {
            return
                "\(name): it belongs to another user, or has raised privileges (user \(owner), this command's is \(geteuid())); "
                + "run this command as that user or as root"
        }
        let scope = KernelFile.text("/proc/sys/kernel/yama/ptrace_scope") ?? "0"
        switch scope {
        case "1" where geteuid() != 0:
            return
                "\(name): kernel.yama.ptrace_scope is 1, which keeps processes of one user apart; run this command as root"
        case "2" where geteuid() != 0:
            return
                "\(name): kernel.yama.ptrace_scope is 2, which leaves it to processes with CAP_SYS_PTRACE; run this command as root"
        case "3":
            return
                "\(name): kernel.yama.ptrace_scope is 3, which forbids it to everybody until the machine restarts"
        default: break
        }
        if geteuid() == 0 {
            return
                "\(name): this command is root without CAP_SYS_PTRACE over it (\(error)), as in a container; give the container "
                + "SYS_PTRACE, or run the command on the host or beside the program"
        }
        return
            "\(name) (\(error)): it is of another user namespace, has made itself unreadable (prctl(2), PR_SET_DUMPABLE), "
            + "or a security module forbids it; run this command as root on the host"
    }
}
