/// A heap profile with names: what was allocated where. The values are estimates from samples.
struct StackProfile {
    /// One function of a stack. Several of them can lie at one address, where the compiler has
    /// joined them.
    struct Function: Hashable {
        var name: String
        var file = ""
        var line = 0
    }

    /// What one address of code is.
    struct Location: Hashable {
        var address: UInt64
        /// In `mappings`, -1 for none.
        var mapping: Int
        /// The innermost first.
        var functions: [Function]
    }

    struct Mapping: Hashable {
        var start: UInt64
        var end: UInt64
        var offset: UInt64
        var path: String
        var buildID: String
    }

    struct Values {
        var totalBlocks = 0.0
        var totalBytes = 0.0
        var liveBlocks = 0.0
        var liveBytes = 0.0

        static func += (left: inout Values, right: Values) {
            left.totalBlocks += right.totalBlocks
            left.totalBytes += right.totalBytes
            left.liveBlocks += right.liveBlocks
            left.liveBytes += right.liveBytes
        }

        func value(_ kind: Kind) -> Double { kind == .live ? liveBytes : totalBytes }
        func blocks(_ kind: Kind) -> Double { kind == .live ? liveBlocks : totalBlocks }
    }

    /// Which of the values is looked at first.
    enum Kind: String { case live, total }

    struct Stack {
        /// In `locations`, the innermost first.
        var locations: [Int]
        var values: Values
    }

    var stacks: [Stack] = []
    var locations: [Location] = []
    var mappings: [Mapping] = []
    /// Mean number of bytes between samples.
    var rate: UInt64 = 0
    /// When it was taken, in nanoseconds since 1970, and how long that took.
    var time: UInt64 = 0
    var duration: UInt64 = 0
    /// What it is of.
    var title = ""

    /// The names of a stack, the outermost first.
    func names(_ stack: Stack) -> [String] {
        guard !stack.locations.isEmpty else { return ["(stack unknown)"] }
        return stack.locations.reversed().flatMap { locations[$0].functions.reversed().map(\.name) }
    }

    /// The values of each stack of names.
    func byNames() -> [[String]: Values] {
        var result: [[String]: Values] = [:]
        for stack in stacks { result[names(stack), default: Values()] += stack.values }
        return result
    }
}
