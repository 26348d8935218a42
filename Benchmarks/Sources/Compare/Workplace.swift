import Foundation

/// The folder of one comparison: compiled workloads, inputs, servers' data and outputs. Removed at its end.
public final class Workplace: Sendable {
    let folder: URL
    /// The package `Benchmarks`.
    let package: URL
    let quick: Bool

    /// The package that this tool was built from.
    public static let sourcePackage = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    public init(package: URL = Workplace.sourcePackage, quick: Bool) throws {
        self.package = package
        self.quick = quick
        // Short, because the servers' sockets lie in it and a socket's path has at most 107 bytes.
        folder = URL(filePath: "/tmp/percolate-compare.\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    public func remove() { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func program(_ name: String) -> String { package.appending(path: "Programs/\(name)").path }

    /// A smaller number for a quick comparison.
    func amount(_ full: Int) -> String { String(quick ? max(full / 4, 1) : full) }

    func tool(_ name: String) throws -> String {
        guard let path = Shell.find(name) else { throw InvalidInput("\(name) is not installed") }
        return path
    }

    /// Compiles a program of the folder `Workloads`. Built-in knowledge of malloc is off: the compiler would remove a pair.
    func compile(_ source: String) throws -> String {
        let output = path(source)
        let file = package.appending(path: "Workloads/\(source).c").path
        // libstdc++ brings the sized operator delete where the allocator has none of its own.
        let libraries = source == "stepped" ? ["-Wl,--no-as-needed", "-lstdc++"] : []
        try Shell.output("cc", ["-O2", "-fno-builtin", "-pthread", file, "-o", output] + libraries)
        return output
    }

    /// The command in surroundings that are the same for every run: a result must not depend on who started it.
    func surrounded(_ command: Command, preloading library: String?) -> Command {
        var environment = [
            "PATH": "/usr/bin:/bin", "HOME": folder.path, "LANG": "C.UTF-8", "TMPDIR": folder.path,
        ]
        if let library { environment["LD_PRELOAD"] = library }
        for (name, value) in ProcessInfo.processInfo.environment
        where Machine.settingPrefixes.contains(where: { name.hasPrefix($0) }) {
            environment[name] = value
        }
        var surrounded = command
        surrounded.environment = environment.merging(command.environment) { _, own in own }
        surrounded.folder = command.folder ?? folder.path
        return surrounded
    }
}
