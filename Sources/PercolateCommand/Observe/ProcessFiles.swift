import Glibc
import SystemPackage

/// What the kernel says of a process in /proc (proc(5)).
struct ProcessFiles {
    let process: pid_t

    private func path(_ name: String) -> FilePath { FilePath("/proc/\(process)/\(name)") }

    /// The bytes of a file of the process.
    func content(_ name: String) throws(Errno) -> [UInt8] {
        let path = path(name)
        return try throwingErrno {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 1 << 16)
                while case let count = try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }
                ), count > 0 {
                    bytes += buffer[..<count]
                }
                return bytes
            }
        }
    }

    func text(_ name: String) throws(Errno) -> String {
        String(decoding: try content(name), as: UTF8.self)
    }

    var exists: Bool {
        var status = stat()
        return FilePath("/proc/\(process)").withPlatformString { stat($0, &status) } == 0
    }

    /// Who owns the process; nil where it is gone.
    var owner: uid_t? {
        var status = stat()
        return FilePath("/proc/\(process)").withPlatformString { stat($0, &status) } == 0
            ? status.st_uid : nil
    }

    /// The fields behind the program's name, which may hold anything, in `stat`.
    private var fields: [Substring] {
        guard let text = try? text("stat"), let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(separator: " ")
    }

    var isZombie: Bool { fields.first.map { $0 == "Z" || $0 == "X" } ?? false }

    /// When the process started, in ticks since the machine did: with the id, this names it for
    /// ever.
    var startTime: String? { fields.count > 19 ? String(fields[19]) : nil }

    /// The program's name without its folder, as the program was called; else what the kernel calls
    /// it.
    var name: String {
        if let arguments = try? content("cmdline"), let first = arguments.split(separator: 0).first {
            return String(
                decoding: first.split(separator: UInt8(ascii: "/")).last ?? first, as: UTF8.self)
        }
        return ((try? text("comm")) ?? "").trimmingSuffix { $0.isNewline }
    }

    /// Mapped and resident bytes; zeros where the process is gone.
    var memory: (mapped: UInt64, resident: UInt64) {
        let pages = ((try? text("statm")) ?? "").split(separator: " ").prefix(2).compactMap {
            UInt64($0)
        }
        let pageSize = UInt64(sysconf(Int32(_SC_PAGESIZE)))
        return pages.count == 2 ? (pages[0] * pageSize, pages[1] * pageSize) : (0, 0)
    }

    /// The threads' numbers.
    var threads: [pid_t] {
        guard let folder = opendir("/proc/\(process)/task") else { return [] }
        defer { closedir(folder) }
        var threads: [pid_t] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = pid_t(name) { threads.append(number) }
        }
        return threads
    }

    /// A thread that has the process's memory: the first one may have ended before the others
    /// (pthread_exit(3)).
    var liveThread: pid_t? {
        isZombie ? threads.first { !ProcessFiles(process: $0).isZombie } : process
    }

    /// Names of the threads; those that end meanwhile have none.
    var threadNames: [String] {
        threads.compactMap { try? text("task/\($0)/comm").trimmingSuffix { $0.isNewline } }
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, predicate(last) { text = text.dropLast() }
        return String(text)
    }
}
