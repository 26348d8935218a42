import Glibc

/// The CPUs of this machine, as lists of numbers and ranges such as `0-3,8`.
struct ProcessorFacts: Codable {
    /// Those that could ever appear while the kernel runs.
    let possible: String?
    let online: String?
    /// Those on which this process may run.
    let allowed: String?

    init() {
        possible = KernelFile.text("/sys/devices/system/cpu/possible")
        online = KernelFile.text("/sys/devices/system/cpu/online")
        let status = KernelFile.text("/proc/self/status") ?? ""
        let name = "Cpus_allowed_list:"
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        allowed = line.map { String($0.dropFirst(name.count).drop { $0 == "\t" || $0 == " " }) }
    }
}
