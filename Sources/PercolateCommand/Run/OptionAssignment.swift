import ArgumentParser
import CPercolate

/// One `key=value` for the allocator, which says on standard error what it does not understand: a
/// library of another version may know other keys.
struct OptionAssignment: ExpressibleByArgument, Sendable {
    let text: String

    init?(argument: String) {
        guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex, !argument.contains(",") else {
            return nil
        }
        text = argument
    }

    /// Every key with its values and its meaning, a line each.
    static var list: String {
        var lines: [String] = []
        while let option = percolate_option(lines.count) {
            let key = String(cString: percolate_option_key(option))
            let values = String(cString: percolate_option_values(option))
            lines.append("\(key)=\(values): " + String(cString: percolate_option_help(option)))
        }
        return lines.joined(separator: "\n")
    }
}
