/// Stacks as text, one a line: functions from the outermost to the innermost with semicolons
/// between them, and the number of bytes.
enum FoldedStacks {
    /// With `earlier`, each line has two numbers: bytes there and bytes here.
    static func text(
        _ profile: StackProfile, _ kind: StackProfile.Kind,
        comparedWith earlier: [[String]: Double]?
    )
        -> String
    {
        var lines: [String] = []
        let now = profile.byNames().mapValues { $0.value(kind) }
        for (names, bytes) in now {
            let before = earlier?[names] ?? 0
            let value = Int(bytes.rounded())
            guard value > 0 || before > 0 else { continue }
            lines.append(
                "\(line(names)) \(earlier == nil ? "" : "\(Int(before.rounded())) ")\(value)")
        }
        for (names, bytes) in earlier ?? [:] where now[names] == nil && bytes > 0 {
            lines.append("\(line(names)) \(Int(bytes.rounded())) 0")
        }
        return lines.sorted().map { $0 + "\n" }.joined()
    }

    private static func line(_ names: [String]) -> String {
        names.map { String($0.map { $0 == ";" || $0.isNewline ? ":" : $0 }) }.joined(separator: ";")
    }

    /// Reads such text. Nil where a line has no number. Of two numbers the second counts.
    static func read(_ text: String) -> [[String]: Double]? {
        var result: [[String]: Double] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let space = line.lastIndex(of: " "),
                let value = Double(line[line.index(after: space)...])
            else {
                return nil
            }
            var stack = line[..<space]
            if let other = stack.lastIndex(of: " "),
                Double(stack[stack.index(after: other)...]) != nil
            {
                stack = stack[..<other]
            }
            result[stack.split(separator: ";").map(String.init), default: 0] += value
        }
        return result
    }
}
