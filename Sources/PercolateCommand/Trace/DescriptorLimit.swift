import Glibc

/// The number of files that this process may have open.
struct DescriptorLimit {
    private let previous: rlimit

    /// Raises the limit as far as this process may: there is an event for each probe on each CPU.
    init() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        previous = limit
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Puts the limit back, for what this process starts.
    func restore() {
        var limit = previous
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
