/// What `env` will do with the words of a script's first line.
struct EnvInvocation {
    /// The program that it executes, nil when the line does not name one.
    let program: String?
    /// Whether `LD_PRELOAD` does not reach that program.
    let clearsPreload: Bool

    /// - Parameter argument: the rest of the script's first line, which the kernel passes to `env`
    ///   as one argument.
    init(_ argument: String) {
        var words = Self.words(argument)[...]
        var clears = false
        while let word = words.first, word.hasPrefix("-") || word.contains("=") {
            words.removeFirst()
            switch word {
            case "-", "-i", "--ignore-environment": clears = true
            case "-u", "--unset": if words.popFirst() == "LD_PRELOAD" { clears = true }
            case "-uLD_PRELOAD", "--unset=LD_PRELOAD": clears = true
            case "-C", "--chdir": words = words.dropFirst()
            case _ where word.hasPrefix("LD_PRELOAD="): clears = true
            default: break
            }
        }
        program = words.first
        clearsPreload = clears
    }

    /// Only `-S` makes `env` take its argument apart. Without it, the argument is one word, blanks
    /// and all.
    private static func words(_ argument: String) -> [String] {
        for option in ["-S", "-vS", "-iS", "--split-string=", "--split-string"] where argument.hasPrefix(option) {
            let words = argument.dropFirst(option.count).split { $0 == " " || $0 == "\t" }.map(String.init)
            return option == "-iS" ? ["-i"] + words : words
        }
        return [argument]
    }
}
