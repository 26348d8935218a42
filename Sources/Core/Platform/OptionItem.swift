import CPercolate

/// One `key=value` of `PERCOLATE_OPTIONS`, as people type it: with spaces around the key and the
/// value, words for truth, and units of size in full.
struct OptionItem {
    let text: UnsafePointer<CChar>
    let count: Int
    /// Where the key ends, and where the value begins and ends.
    private let keyEnd: Int
    private let valueStart: Int
    private let valueEnd: Int

    /// `text` may begin and end in spaces: the item does not.
    init(text: UnsafePointer<CChar>, count: Int) {
        let start = Self.skipSpaces(text, 0, count)
        self.text = text + start
        self.count = Self.dropSpaces(text + start, count &- start)
        // What a path ends in is part of its name.
        exactEnd = count &- start
        var split = 0
        while split < self.count, self.text[split] != CChar(UInt8(ascii: "=")) { split &+= 1 }
        keyEnd = Self.dropSpaces(self.text, split)
        valueStart = Self.skipSpaces(self.text, min(self.count, split &+ 1), self.count)
        valueEnd = self.count
    }

    private let exactEnd: Int

    private static func isSpace(_ byte: CChar) -> Bool { byte == 32 || byte == 9 }

    private static func skipSpaces(_ text: UnsafePointer<CChar>, _ start: Int, _ end: Int) -> Int {
        var position = start
        while position < end, isSpace(text[position]) { position &+= 1 }
        return position
    }

    private static func dropSpaces(_ text: UnsafePointer<CChar>, _ end: Int) -> Int {
        var position = end
        while position > 0, isSpace(text[position &- 1]) { position &-= 1 }
        return position
    }

    var value: UnsafePointer<CChar> { text + valueStart }
    var valueCount: Int { valueEnd &- valueStart }
    /// With the spaces at its end.
    var exactValueCount: Int { exactEnd &- valueStart }

    func hasKey(_ key: StaticString) -> Bool { Self.equal(text, keyEnd, key) }
    func valueIs(_ word: StaticString) -> Bool { Self.equal(value, valueCount, word) }

    func hasKey(cString key: UnsafePointer<CChar>) -> Bool {
        var length = 0
        while length < keyEnd, key[length] != 0, key[length] == text[length] { length &+= 1 }
        return length == keyEnd && key[length] == 0
    }

    func valueEnds(in suffix: StaticString) -> Bool {
        let length = suffix.utf8CodeUnitCount
        return valueCount > length && Self.equal(value + (valueCount &- length), length, suffix)
    }

    /// What the value says of a thing that is or is not; nil where it says something else.
    var truth: Bool? {
        if valueIs("1") || valueIs("on") || valueIs("true") || valueIs("yes") { return true }
        if valueIs("0") || valueIs("off") || valueIs("false") || valueIs("no") { return false }
        return nil
    }

    func flag(into target: inout Bool) -> Bool {
        guard let truth else { return false }
        target = truth
        return true
    }

    /// Something that is used wherever it can be, or not.
    func automatic(into target: inout Bool) -> Bool {
        guard !valueIs("auto") else {
            target = true
            return true
        }
        return flag(into: &target)
    }

    /// Something that the process decides about where the option does not.
    func choice(into target: inout Options.Choice) -> Bool {
        var isOn = false
        if valueIs("auto") {
            target = .automatic
        } else if flag(into: &isOn) {
            target = isOn ? .on : .off
        } else {
            return false
        }
        return true
    }

    func number(into target: inout Int) -> Bool {
        var size: UInt = 0
        guard self.size(into: &size), size <= UInt(Int32.max) else { return false }
        target = Int(size)
        return true
    }

    /// Digits, and at the end a power of 1024: `K`, `KB` or `KiB`, up to T.
    func size(into target: inout UInt) -> Bool {
        var result: UInt = 0
        var digits = 0
        while digits < min(valueCount, 15), let digit = digit(at: digits) {
            result = result &* 10 &+ digit
            digits &+= 1
        }
        guard digits > 0, digit(at: digits) == nil else { return false }
        let unit = Self.skipSpaces(value, digits, valueCount)
        guard let power = power(at: unit), result <= UInt.max &>> power else { return false }
        target = result &<< power
        return true
    }

    private func digit(at position: Int) -> UInt? {
        guard position < valueCount else { return nil }
        let byte = UInt8(bitPattern: value[position])
        return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? UInt(byte &- UInt8(ascii: "0")) : nil
    }

    /// The binary logarithm of the unit that is the rest of the value.
    private func power(at position: Int) -> UInt? {
        let rest = value + position
        let length = valueCount &- position
        guard length > 0, !Self.equal(rest, length, "b") else { return 0 }
        let power: UInt
        switch UInt8(bitPattern: rest[0]) | 32 {
        case UInt8(ascii: "k"): power = 10
        case UInt8(ascii: "m"): power = 20
        case UInt8(ascii: "g"): power = 30
        case UInt8(ascii: "t"): power = 40
        default: return nil
        }
        let isUnit = length == 1 || Self.equal(rest + 1, length &- 1, "b") || Self.equal(rest + 1, length &- 1, "ib")
        return isUnit ? power : nil
    }

    /// Capital letters of the text are small ones; `word` has none.
    private static func equal(_ text: UnsafePointer<CChar>, _ count: Int, _ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            var byte = UInt8(bitPattern: text[index])
            if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { byte |= 32 }
            if byte != word.utf8Start[index] { return false }
        }
        return true
    }
}
