/// Where an argument of a probe is when a thread comes by, as the note says in the assembler's
/// words: `-4@%edi` is a signed number of four bytes in a register, `8@$3` a constant.
struct ProbeArgument {
    private enum Place {
        /// A number of `enum perf_event_x86_regs`.
        case register(Int)
        case constant(Int64)
    }

    private let place: Place
    private let bytes: Int
    private let isSigned: Bool

    /// Nil for what a sample of the registers cannot give, such as an argument in memory.
    init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1)
        guard parts.count == 2, let size = Int(parts[0]), [1, 2, 4, 8].contains(abs(size)) else { return nil }
        bytes = abs(size)
        isSigned = size < 0
        switch parts[1].first {
        case "$":
            guard let value = Int64(parts[1].dropFirst()) else { return nil }
            place = .constant(value)
        case "%":
            guard let number = Self.numbers[String(parts[1].dropFirst())] else { return nil }
            place = .register(number)
        default: return nil
        }
    }

    var registers: UInt64 {
        if case .register(let number) = place { 1 << UInt64(number) } else { 0 }
    }

    /// The argument's value, sign-extended when it is signed. `values` has the sampled registers of
    /// `mask`, lowest first.
    func value(in values: some RandomAccessCollection<UInt64>, sampled mask: UInt64) -> UInt64? {
        let whole: UInt64
        switch place {
        case .constant(let value): whole = UInt64(bitPattern: value)
        case .register(let number):
            let position = (mask & (1 << UInt64(number) - 1)).nonzeroBitCount
            guard mask & 1 << UInt64(number) != 0, position < values.count else { return nil }
            whole = values[values.index(values.startIndex, offsetBy: position)]
        }
        let unused = UInt64(64 - bytes * 8)
        let shifted = whole << unused
        return isSigned ? UInt64(bitPattern: Int64(bitPattern: shifted) >> Int64(unused)) : shifted >> unused
    }

    /// The numbers that the kernel's samples give to the registers of x86-64, by the assembler's
    /// names: `rdi`, `edi`, `di` and `dil` are one register.
    private static let numbers: [String: Int] = {
        var numbers: [String: Int] = [:]
        for (number, name) in ["ax", "bx", "cx", "dx", "si", "di", "bp", "sp"].enumerated() {
            for prefix in ["r", "e", ""] { numbers[prefix + name] = number }
            numbers[name.hasSuffix("x") ? "\(name.prefix(1))l" : name + "l"] = number
        }
        for name in 8...15 {
            for suffix in ["", "d", "w", "b"] { numbers["r\(name)\(suffix)"] = name + 8 }
        }
        return numbers
    }()
}
