import ArgumentParser

/// A number of bytes above 0, as the options of the heap take it: 4096, 64K, 4MB, 2GiB.
struct SizeArgument: ExpressibleByArgument, Sendable {
    let bytes: UInt64

    init?(argument: String) {
        let text = argument.lowercased()
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let powers: [String: UInt64] = ["": 0, "k": 10, "m": 20, "g": 30, "t": 40]
        var unit = text.dropFirst(digits.count).drop { $0 == " " }
        if unit.hasSuffix("ib"), unit.count == 3 {
            unit = unit.dropLast(2)
        } else if unit.hasSuffix("b") {
            unit = unit.dropLast()
        }
        guard let number = UInt64(digits), number > 0, let power = powers[String(unit)],
            number <= UInt64.max >> power
        else { return nil }
        bytes = number << power
    }
}
