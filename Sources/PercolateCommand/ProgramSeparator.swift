/// Puts `--` before a program where the user left it out: everything after the first argument that
/// is neither an option nor an option's value belongs to the program, however it looks.
enum ProgramSeparator {
    static func adding(to arguments: [String]) -> [String] {
        let optionsWithValue: Set<String>
        switch arguments.first {
        case RunCommand.configuration.commandName: optionsWithValue = LaunchOptions.withValue
        case TraceCommand.configuration.commandName:
            optionsWithValue = LaunchOptions.withValue.union(TraceCommand.optionsWithValue)
        default: return arguments
        }
        var index = 1
        while index < arguments.count, arguments[index] != "--" {
            guard arguments[index].hasPrefix("-"), arguments[index] != "-" else {
                return arguments[..<index] + ["--"] + arguments[index...]
            }
            index += optionsWithValue.contains(arguments[index]) ? 2 : 1
        }
        return arguments
    }
}
