import CPercolate

/// How to get from a frame to its caller's, at one address of code.
struct FrameRule {
    enum Kind: UInt64 {
        /// Nothing is known of the code: it may keep frame pointers.
        case unknown = 1
        /// The frame address is a register and an offset, the return address is the word below it.
        case plain = 2
        /// The frame has no caller.
        case outermost = 3
        /// As `plain`, but the frame address is the word at that place: of a function that realigns
        /// its stack.
        case indirect = 4
    }

    enum SavedPointer: UInt64 {
        /// The frame pointer is the caller's still.
        case kept = 0
        /// It is saved at an offset from the frame address.
        case atFrame = 1
        /// It is saved where it points, at an offset.
        case atPointer = 2
        case lost = 3
    }

    var kind = Kind.unknown
    /// Whether the register is the frame pointer; else the stack pointer.
    var usesFramePointer = false
    var frameOffset = 0
    var savedPointer = SavedPointer.kept
    var savedOffset = 0

    init(_ kind: Kind) { self.kind = kind }

    private static func fits(_ offset: Int) -> Bool { offset &>> 25 == 0 || offset &>> 25 == -1 }

    /// The rule in 64 bits, never 0; nil when an offset has no room.
    var packed: UInt64? {
        guard Self.fits(frameOffset), Self.fits(savedOffset) else { return nil }
        let frame = UInt64(truncatingIfNeeded: frameOffset & 0x3ff_ffff)
        let saved = UInt64(truncatingIfNeeded: savedOffset & 0x3ff_ffff)
        let places = frame &<< 12 | saved &<< 38
        return kind.rawValue | (usesFramePointer ? 8 : 0) | savedPointer.rawValue &<< 4 | places
    }

    /// Nil for bits that are no rule.
    init?(packed bits: UInt64) {
        guard let kind = Kind(rawValue: bits & 7), let saved = SavedPointer(rawValue: bits &>> 4 & 3) else {
            return nil
        }
        self.kind = kind
        usesFramePointer = bits & 8 != 0
        savedPointer = saved
        frameOffset = Int(Int64(bitPattern: bits &<< 26) &>> 38)
        savedOffset = Int(Int64(bitPattern: bits) &>> 38)
    }
}

/// Rules that were found lately, by address. Read and written by all threads at once, without a
/// lock.
///
/// An entry is two words, the address mixed with the rule and the rule: words of two different
/// writers do not fit together, and count as none. A library that was unloaded leaves its rules
/// behind, until the program loads another one.
enum FrameRuleCache {
    static var entries: Int { 4096 }
    static var bytes: UInt { UInt(entries) &* 16 }
    @inline(__always)
    private static var address: UInt { samplingState.pointee.frameRules }

    @inline(__always)
    private static func entry(_ code: UInt) -> UnsafeMutablePointer<UInt64> {
        let hash = (UInt64(code) &* 0x9e37_79b9_7f4a_7c15) &>> 52
        return pointer(address &+ UInt(hash) &* 16)
    }

    static func clear() {
        guard address != 0 else { return }
        for number in 0..<entries {
            let entry: UnsafeMutablePointer<UInt64> = pointer(address &+ UInt(number) &* 16)
            entry[1] = 0
        }
    }

    static func rule(at code: UInt) -> FrameRule? {
        guard address != 0 else { return nil }
        let entry = entry(code)
        let bits = entry[1]
        guard bits != 0, entry[0] ^ bits == UInt64(code) else { return nil }
        return FrameRule(packed: bits)
    }

    static func keep(_ rule: FrameRule, at code: UInt) {
        guard address != 0, let bits = rule.packed else { return }
        let entry = entry(code)
        entry[0] = UInt64(code) ^ bits
        entry[1] = bits
    }
}
