import Foundation

/// A program that runs beside the test. Killed when the value goes, if it has not ended by then.
public final class BackgroundProgram: @unchecked Sendable {
    // Used by one task at a time.
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var buffer = Data()

    public var processID: pid_t { process.processIdentifier }

    public init(_ program: String, _ arguments: [String] = [], library: String? = nil, options: String = "") throws {
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["LD_PRELOAD"] = library
        environment["PERCOLATE_OPTIONS"] = options.isEmpty ? nil : options
        process.environment = environment
        process.standardInput = input
        process.standardOutput = output
        try Self.withoutBlockedSignals { try process.run() }
    }

    /// A program starts with the signals blocked that are so in the thread which starts it: in one
    /// of Dispatch's, SIGTERM too.
    private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// The next line of standard output, which is waited for; nil at its end.
    public func line() -> String? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[buffer.startIndex..<end], as: UTF8.self)
                buffer = Data(buffer[(end + 1)...])
                return line
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            buffer += more
        }
    }

    /// Writes a line to standard input.
    public func tell(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Waits for the program's end. Its exit status, or that of a shell for a signal.
    public func end() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }
}
