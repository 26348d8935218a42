import Glibc
import SystemPackage

/// What the allocator itself reports, from a process that it served. How it decides is its own
/// business: nothing of that rule is repeated here.
struct AllocatorFacts: Codable {
    /// The shared object, nil when there is none.
    let library: String?
    /// Why the library cannot serve programs, nil when it can.
    let problem: String?
    /// The statistics lines, by name.
    let statistics: [String: String]
    /// What else the process said: warnings of the loader and of the allocator.
    let remarks: [String]

    private static let title = "percolate statistics"

    /// Runs this command under the library that `percolate run` would use.
    init(_ argument: ArgumentPath?) {
        let library: PreloadLibrary
        do {
            library = if let argument { try PreloadLibrary(at: argument) } else { try PreloadLibrary() }
        } catch {
            (self.library, problem, statistics, remarks) = (nil, error.sentence, [:], [])
            return
        }
        self.library = library.path.string
        PreloadEnvironment(library: library, options: ["stats=stderr"]).apply()
        // A crash shall be seen as one: the runtime's handler would print pages, and lets a raised
        // signal pass.
        EnvironmentVariable.swiftBacktrace.set(Array("enable=no".utf8))
        let name = DoctorProbeCommand.configuration.commandName ?? ""
        do {
            let process = try ProbeProcess(CommandExecutable.path, [name])
            let lines = process.errors.split(separator: "\n")
            let report = lines.firstIndex { $0 == Self.title }
            statistics = Self.values(lines[(report ?? lines.endIndex)...].dropFirst())
            remarks = lines[..<(report ?? lines.endIndex)].map(String.init)
            problem = Self.problem(process.end, statistics)
        } catch {
            (problem, statistics, remarks) = ("a program cannot be started under it: \(error)", [:], [])
        }
    }

    private static func values(_ lines: ArraySlice<Substring>) -> [String: String] {
        var values: [String: String] = [:]
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 1)
            if words.count == 2 { values[String(words[0])] = String(words[1]) }
        }
        return values
    }

    private static func problem(_ end: ProbeProcess.End, _ statistics: [String: String]) -> String? {
        switch end {
        case .timedOut: "a program under it did not end in time"
        case .signaled(let signal):
            "a program under it died by signal \(signal) (\(String(cString: strsignal(signal))))"
        case .exited(let code) where code != 0: "a program under it ended with exit status \(code)"
        case .exited where statistics.isEmpty: "a program under it left no statistics: it was not served by Percolate"
        case .exited where (statistics["served_blocks"].flatMap { Int($0) } ?? 0) == 0:
            "a program under it reports no block served"
        case .exited: nil
        }
    }
}
