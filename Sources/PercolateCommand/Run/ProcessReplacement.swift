import Glibc
import SystemPackage

/// This process's own arguments as the kernel passed them: bytes that need not be UTF-8.
enum ProcessReplacement {
    /// Replaces this process by the program that its last `count` arguments name and their
    /// arguments; the environment is this process's. Returns only when that fails, with the reason.
    ///
    /// - Precondition: `count` is positive and at most the number of arguments.
    static func execute(lastArguments count: Int) -> Errno {
        let first = CommandLine.unsafeArgv + (Int(CommandLine.argc) - count)
        guard let program = first.pointee else { return .invalidArgument }
        execvp(program, first)
        return Errno(rawValue: errno)
    }
}
