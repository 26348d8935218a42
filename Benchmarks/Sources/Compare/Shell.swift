import Foundation

/// Commands that prepare a run or describe the machine. Nothing that is measured is started here.
enum Shell {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The path of a program of the system, not of a version manager's shims in front of it.
    static func find(_ tool: String) -> String? {
        let folders = ["/usr/bin", "/usr/local/bin", "/bin"]
        let path = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").map(String.init) ?? []
        return (folders + path).map { "\($0)/\(tool)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Standard output, trimmed. Throws what the command wrote to standard error when it fails.
    @discardableResult
    static func output(
        _ tool: String, _ arguments: [String], input: URL? = nil, in folder: URL? = nil,
        environment: [String: String]? = nil
    ) throws(Failure) -> String {
        guard let path = tool.hasPrefix("/") ? tool : find(tool) else {
            throw Failure(description: "\(tool) is not installed")
        }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        if let environment { process.environment = environment }
        // Files, not pipes: a server that the command leaves running would keep a pipe open for ever.
        let output = FileManager.default.temporaryDirectory.appending(path: "percolate-compare-\(UUID()).out")
        let errors = output.appendingPathExtension("err")
        defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
        do {
            for file in [output, errors] { try Data().write(to: file) }
            process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            try process.run()
            process.waitUntilExit()
            guard process.terminationReason == .exit, process.terminationStatus == 0 else {
                let message = try String(contentsOf: errors, encoding: .utf8)
                throw Failure(description: "\(tool) failed: \(message.suffix(2000))")
            }
            let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
            return text.trimmingCharacters(in: .whitespacesAndNewlines)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "\(tool): \(error)")
        }
    }
}
