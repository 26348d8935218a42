import CLinux
import SystemPackage

/// The kernel's unit for events at instructions of files, and why a process may not use it.
struct UprobeUnit {
    /// Its number among the kinds of events.
    let type: UInt32

    private static let folder: FilePath = "/sys/bus/event_source/devices/uprobe"

    init() throws(TraceFailure) {
        guard let text = KernelFile.text(Self.folder.appending("type")), let number = UInt32(text) else {
            throw .noUprobes(Self.folder)
        }
        // Where in `config` the semaphore's offset goes. Without it nobody would raise the
        // semaphores.
        guard KernelFile.text(Self.folder.appending("format/ref_ctr_offset")) == "config:32-63" else {
            throw .noSemaphores
        }
        type = number
    }

    /// Whether this process has the capability that permits probes in programs. CAP_PERFMON is not
    /// enough for those (Linux 6.18).
    static var hasCapability: Bool {
        let status = KernelFile.text("/proc/self/status") ?? ""
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:\t") }),
            let set = UInt64(line.dropFirst(8), radix: 16)
        else { return false }
        return set & 1 << UInt64(CAP_SYS_ADMIN) != 0
    }
}
