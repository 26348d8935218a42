import Glibc

/// How the kernel hands memory to this process.
struct MemoryFacts: Codable {
    /// The setting for transparent huge pages: `always`, `madvise` or `never`; nil when the kernel
    /// has none.
    let transparentHugePages: String?
    /// `vm.overcommit_memory`: 0 by estimate, 1 always, 2 never.
    let overcommit: Int?
    /// `RLIMIT_AS` in bytes, nil when unlimited.
    let addressSpaceLimit: UInt?
    /// `RLIMIT_DATA` in bytes, nil when unlimited.
    let dataLimit: UInt?

    init() {
        // All settings are listed, the one in force in brackets.
        let settings = KernelFile.text("/sys/kernel/mm/transparent_hugepage/enabled") ?? ""
        let inForce = settings.split(separator: " ").first { $0.hasPrefix("[") && $0.hasSuffix("]") }
        transparentHugePages = inForce.map { String($0.dropFirst().dropLast()) }
        overcommit = KernelFile.text("/proc/sys/vm/overcommit_memory").flatMap { Int($0) }
        addressSpaceLimit = Self.limit(RLIMIT_AS)
        dataLimit = Self.limit(RLIMIT_DATA)
    }

    private static func limit(_ resource: __rlimit_resource) -> UInt? {
        var limit = rlimit()
        // Fails only for an unknown resource or a bad address.
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return nil
        }
        return UInt(limit.rlim_cur)
    }
}
