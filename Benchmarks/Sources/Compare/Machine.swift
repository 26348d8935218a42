import Foundation

/// What a result depends on besides the allocators.
public struct Machine: Codable, Equatable, Sendable {
    public var processor: String
    public var processors: Int
    public var memoryBytes: UInt64
    public var kernel: String
    public var system: String
    public var library: String
    public var compiler: String
    /// The word in brackets of the kernel's setting: `always`, `madvise` or `never`.
    public var transparentHugePages: String
    /// Allocators' settings that the runs inherited from the caller's environment.
    public var settings: [String: String]

    /// Variables that change how an allocator behaves are handed to the programs; nothing else is.
    static let settingPrefixes = ["PERCOLATE_", "MALLOC_", "MIMALLOC_", "TCMALLOC_", "GLIBC_TUNABLES"]

    public static func current() -> Machine {
        let environment = ProcessInfo.processInfo.environment
        return Machine(
            processor: field("model name", in: "/proc/cpuinfo") ?? field("CPU part", in: "/proc/cpuinfo") ?? "unknown",
            processors: ProcessInfo.processInfo.activeProcessorCount,
            memoryBytes: ProcessInfo.processInfo.physicalMemory,
            kernel: (try? Shell.output("uname", ["-sr"])) ?? "unknown",
            system: field("PRETTY_NAME", in: "/etc/os-release", separator: "=")?
                .trimmingCharacters(in: ["\""]) ?? "unknown",
            library: (try? Shell.output("getconf", ["GNU_LIBC_VERSION"])) ?? "unknown",
            compiler: (try? Shell.output("cc", ["--version"]))?.split(separator: "\n").first.map(String.init) ?? "none",
            transparentHugePages: HugePages.current?.rawValue ?? "unknown",
            settings: environment.filter { name, _ in settingPrefixes.contains { name.hasPrefix($0) } })
    }

    /// The number of processes that wanted to run, averaged over the last minute.
    public static func load() -> Double {
        let text = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        return text.split(separator: " ").first.flatMap { Double($0) } ?? 0
    }

    private static func field(_ name: String, in path: String, separator: Character = ":") -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let parts = line.split(separator: separator, maxSplits: 1)
            if parts.count == 2 { return parts[1].trimmingCharacters(in: .whitespaces) }
        }
        return nil
    }
}
