import CLinux
import Glibc

/// What runs here: the kernel, its architecture, the C library.
struct SystemFacts: Codable {
    /// The kernel's release, such as `6.12.53`.
    let kernel: String
    let architecture: String
    let glibc: String
    /// Whether a filter decides about this process's system calls (`Seccomp` of `/proc/self/status`
    /// is not 0).
    let seccomp: Bool

    init() {
        var names = utsname()
        // uname fails only for a bad address.
        _ = uname(&names)
        kernel = Self.text(names.release)
        architecture = Self.text(names.machine)
        glibc = String(cString: gnu_get_libc_version())
        let status = KernelFile.text("/proc/self/status") ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("Seccomp:") }
        seccomp = line.map { !$0.hasSuffix("\t0") } ?? false
    }

    private static func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
