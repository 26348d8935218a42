import Foundation

/// The machine's setting for transparent huge pages, which decides where `array` and `chase` spend
/// their time (the kernel's Documentation/admin-guide/mm/transhuge.rst).
public enum HugePages: String, CaseIterable, Sendable {
    case always, madvise, never

    private static let path: StaticString = "/sys/kernel/mm/transparent_hugepage/enabled"

    /// The machine's own setting while another one holds.
    nonisolated(unsafe) private static var machines = HugePages.madvise

    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// The setting now; nil on a kernel without them.
    public static var current: HugePages? {
        guard let text = try? String(contentsOfFile: "\(path)", encoding: .utf8),
            let word = text.firstMatch(of: /\[(\w+)\]/)
        else { return nil }
        return HugePages(rawValue: String(word.1))
    }

    /// Runs `body` with this setting, and puts the machine's own back, also when SIGINT, SIGTERM or
    /// SIGHUP ends this process.
    ///
    /// - Throws: `InvalidInput` where the setting may not be changed: only root may.
    public func whileSet<R>(_ body: () throws -> R) throws -> R {
        guard let before = Self.current else {
            throw InvalidInput("this kernel has no transparent huge pages")
        }
        guard before != self else { return try body() }
        Self.machines = before
        guard set() else {
            throw InvalidInput("only root may set the machine's huge pages to \(rawValue)")
        }
        for number in Self.signals {
            signal(number) { number in
                _ = HugePages.machines.set()
                _exit(128 + number)
            }
        }
        let result = Result { try body() }
        for number in Self.signals { signal(number, SIG_DFL) }
        guard before.set() else {
            throw InvalidInput("the machine's huge pages stay \(rawValue): they were \(before.rawValue)")
        }
        return try result.get()
    }

    /// Safe in a signal handler.
    private func set() -> Bool {
        let word: StaticString =
            switch self {
            case .always: "always"
            case .madvise: "madvise"
            case .never: "never"
            }
        let path = UnsafeRawPointer(Self.path.utf8Start).assumingMemoryBound(to: CChar.self)
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return word.withUTF8Buffer { write(file, $0.baseAddress, $0.count) } == word.utf8CodeUnitCount
    }
}
