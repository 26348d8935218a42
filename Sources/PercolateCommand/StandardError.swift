import SystemPackage

/// The command's own messages: one line each on standard error, which it shares with the program
/// that it runs.
enum StandardError {
    static func say(_ sentence: String) {
        do {
            try FileDescriptor.standardError.writeAll("percolate: \(sentence)\n".utf8)
        } catch {
            // Standard error is closed or full: there is nobody left to tell, and the program must
            // run all the same.
        }
    }
}
