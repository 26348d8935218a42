/// A command line with its surroundings.
struct Command: Sendable {
    var path: String
    var arguments: [String]
    var environment: [String: String] = [:]
    /// The folder it starts in; `nil` for the caller's.
    var folder: String?
    /// The file it reads; `nil` for none.
    var input: String?
    /// The account that runs it; `nil` for the caller's.
    var user: (id: UInt32, group: UInt32)?

    init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }
}
