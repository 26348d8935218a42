import Glibc

/// A variable of this process's environment, as bytes: values need not be UTF-8, and what is passed
/// on must stay as it is. Only for use while the process has one thread.
struct EnvironmentVariable {
    let name: String

    static let preload = EnvironmentVariable(name: "LD_PRELOAD")
    static let options = EnvironmentVariable(name: "PERCOLATE_OPTIONS")
    static let path = EnvironmentVariable(name: "PATH")
    static let temporaryFolder = EnvironmentVariable(name: "TMPDIR")
    static let swiftBacktrace = EnvironmentVariable(name: "SWIFT_BACKTRACE")

    /// The value without its terminating zero, nil when the variable is not set.
    var value: [UInt8]? {
        guard let text = getenv(name) else { return nil }
        return UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
    }

    /// Sets the variable for this process and for what it executes.
    func set(_ value: [UInt8]) {
        let text = value.map { CChar(bitPattern: $0) } + [0]
        // The only other failure is an impossible name.
        guard setenv(name, text, 1) == 0 else { fatalError("no memory for the environment") }
    }
}
