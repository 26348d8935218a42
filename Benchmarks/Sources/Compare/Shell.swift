import CMeasure
import Foundation

/// Commands that prepare a run or describe the machine. Nothing that is measured is started here.
enum Shell {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The path of a program of the system, not of a version manager's shims in front of it.
    static func find(_ tool: String) -> String? {
        if tool.hasPrefix("/") { return tool }
        let folders = ["/usr/bin", "/usr/local/bin", "/bin"]
        let path = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").map(String.init) ?? []
        return (folders + path).map { "\($0)/\(tool)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Standard output, trimmed. Throws what the command wrote to standard error when it fails.
    @discardableResult
    static func output(_ tool: String, _ arguments: [String], input: String? = nil) throws(Failure) -> String {
        guard let path = find(tool) else { throw Failure(description: "\(tool) is not installed") }
        var command = Command(path, arguments, environment: ProcessInfo.processInfo.environment)
        command.input = input
        return try output(command)
    }

    @discardableResult
    static func output(_ command: Command) throws(Failure) -> String {
        let base = FileManager.default.temporaryDirectory.appending(path: "percolate-compare-\(UUID())").path
        let (output, errors) = ("\(base).out", "\(base).err")
        defer { for file in [output, errors] { try? FileManager.default.removeItem(atPath: file) } }
        let storage = CommandStorage(command, output: output, errors: errors)
        let status = storage.withCommand { command in withUnsafePointer(to: command) { command_run($0) } }
        let (text, log) = (try? read(output), try? read(errors))
        guard status >= 0, let text else { throw Failure(description: "\(command.path) cannot be started") }
        if let end = CommandStorage.failure(status) {
            throw Failure(description: "\(command.path) \(end): \((log ?? "").suffix(2000))")
        }
        return text
    }

    private static func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
