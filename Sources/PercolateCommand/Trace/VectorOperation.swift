import CPercolate

/// One operation of a vector that has run: what it was to do, to which operands, and what came of
/// it.
struct VectorOperation {
    enum Outcome: Int {
        case faulted = -1
        case stops = 0
        case goesOn = 1
    }

    let index: Int
    let code: cpu_op_type
    let length: UInt64
    /// The address of the first operand.
    let first: UInt64
    /// The address of the second operand, or the number that the operation works with.
    let second: UInt64
    let outcome: Outcome
    let cpu: Int
    /// What was stored, by a copy of 1, 2, 4 or 8 bytes and by arithmetic.
    let value: UInt64

    /// - Precondition: there are eight arguments.
    init?(_ arguments: [UInt64]) {
        guard let number = UInt32(exactly: arguments[1]), number < NR_CPU_OPS.rawValue,
            let outcome = Outcome(rawValue: Int(Int64(bitPattern: arguments[5])))
        else { return nil }
        index = Int(Int64(bitPattern: arguments[0]))
        code = cpu_op_type(number)
        length = arguments[2]
        first = arguments[3]
        second = arguments[4]
        self.outcome = outcome
        cpu = Int(Int64(bitPattern: arguments[6]))
        value = arguments[7]
    }

    /// The operation's name, as in `enum cpu_op_type` without what all of them share.
    var name: String {
        switch code {
        case CPU_COMPARE_EQ_OP: "compare_eq"
        case CPU_COMPARE_NE_OP: "compare_ne"
        case CPU_MEMCPY_OP: "memcpy"
        case CPU_ADD_OP: "add"
        case CPU_OR_OP: "or"
        case CPU_AND_OP: "and"
        case CPU_XOR_OP: "xor"
        case CPU_LSHIFT_OP: "lshift"
        case CPU_RSHIFT_OP: "rshift"
        case CPU_MB_OP: "mb"
        case CPU_MEMCPY_RELEASE_OP: "memcpy_release"
        default: "add_release"
        }
    }

    /// The operation in one line: its name, the bytes it works on and where, its operand, its
    /// outcome.
    var text: String {
        let place = "\(length) bytes at \(Hex(first))"
        let stored = outcome == .goesOn ? ", stored \(Hex(value))" : ""
        let action: String
        switch code {
        case CPU_COMPARE_EQ_OP, CPU_COMPARE_NE_OP: action = "\(name) \(place) with \(Hex(second))"
        case CPU_MEMCPY_OP, CPU_MEMCPY_RELEASE_OP:
            let isNumber = [1, 2, 4, 8].contains(length)
            action = "\(name) \(length) bytes to \(Hex(first)) from \(Hex(second))" + (isNumber ? stored : "")
        case CPU_ADD_OP, CPU_ADD_RELEASE_OP: action = "\(name) \(Int64(bitPattern: second)) to \(place)" + stored
        case CPU_LSHIFT_OP, CPU_RSHIFT_OP: action = "\(name) \(place) by \(second)" + stored
        case CPU_MB_OP: action = name
        default: action = "\(name) \(place) with \(Hex(second))" + stored
        }
        return switch outcome {
        case .goesOn: action
        case .stops: action + ": stops the vector"
        case .faulted: action + ": faulted"
        }
    }
}

/// A number as programmers write addresses.
struct Hex: CustomStringConvertible {
    let number: UInt64

    init(_ number: UInt64) { self.number = number }

    var description: String { "0x" + String(number, radix: 16) }
}
