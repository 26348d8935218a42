import Glibc

/// Keeps the numbers of standard streams that this process was started without from being given to
/// files that it opens.
enum StandardStreams {
    /// Opens `/dev/null` in their place, for this process only: what it executes finds them closed,
    /// as they were.
    static func occupy() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is taken, which is this one.
            _ = open("/dev/null", O_RDWR | O_CLOEXEC)
        }
    }
}
