import CPercolate

/// Runs the instructions (DW_CFA_*) that describe a function's frames, up to one address of its
/// code.
struct FrameProgram {
    /// What holds at an address.
    private struct Row {
        var rule = FrameRule(.plain)
        /// Whether the frame address is given in a way that is understood.
        var isKnown = false
    }

    private static var framePointer: UInt { 6 }
    private static var stackPointer: UInt { 7 }
    private static var returnAddress: UInt { 16 }

    private var codeUnit: UInt = 1
    private var dataUnit = 1
    private var row = Row()
    private var first = Row()
    private var kept = InlineArray<8, Row>(repeating: Row())
    private var depth = 0

    /// The rule at `code` by the description (FDE) at `description`; nil where it does not cover
    /// `code` or is not understood.
    static func run(_ description: UInt, to code: UInt) -> FrameRule? {
        var cursor = FrameCursor(description)
        let length = cursor.word()
        guard length != 0, length != 0xffff_ffff else { return nil }
        let end = cursor.address &+ UInt(length)
        let common = cursor.address &- UInt(percolate_load32(cursor.address))
        cursor.address &+= 4

        var program = FrameProgram()
        guard let shared = Shared(at: common), let start = cursor.pointer(encoding: shared.encoding),
            let size = cursor.pointer(encoding: shared.encoding & 0x0f), code >= start, code &- start < size
        else { return nil }
        if shared.isAugmented {
            let bytes = cursor.number()
            cursor.address &+= bytes
        }
        program.codeUnit = shared.codeUnit
        program.dataUnit = shared.dataUnit
        guard program.run(shared.instructions, to: shared.end, location: start, code: code) else { return nil }
        program.first = program.row
        guard program.run(cursor.address, to: end, location: start, code: code), program.row.isKnown else { return nil }
        return program.row.rule
    }

    /// What many descriptions have in common (CIE).
    private struct Shared {
        var codeUnit: UInt
        var dataUnit: Int
        var encoding: UInt8 = 0
        var isAugmented: Bool
        var instructions: UInt
        var end: UInt

        init?(at address: UInt) {
            var cursor = FrameCursor(address)
            let length = cursor.word()
            guard length != 0, length != 0xffff_ffff else { return nil }
            end = cursor.address &+ UInt(length)
            guard cursor.word() == 0 else { return nil }
            let version = cursor.byte()
            guard version == 1 || version == 3 else { return nil }
            var augmentation = FrameCursor(cursor.address)
            while cursor.byte() != 0 {}
            codeUnit = cursor.number()
            dataUnit = cursor.signedNumber()
            let register = version == 1 ? UInt(cursor.byte()) : cursor.number()
            guard register == FrameProgram.returnAddress else { return nil }
            isAugmented = percolate_load8(augmentation.address) == UInt8(ascii: "z")
            instructions = cursor.address
            guard isAugmented else {
                guard augmentation.byte() == 0 else { return nil }
                return
            }
            augmentation.address &+= 1
            let bytes = cursor.number()
            instructions = cursor.address &+ bytes
            while true {
                switch augmentation.byte() {
                case UInt8(ascii: "R"): encoding = cursor.byte()
                case UInt8(ascii: "L"): _ = cursor.byte()
                case UInt8(ascii: "P"):
                    let encoding = cursor.byte()
                    guard cursor.pointer(encoding: encoding & 0x0f) != nil else { return nil }
                case UInt8(ascii: "S"), UInt8(ascii: "B"): break
                case 0: return
                default: return nil
                }
            }
        }
    }

    /// Runs instructions until one is for code beyond `code`. False for what is not known.
    private mutating func run(_ start: UInt, to end: UInt, location: UInt, code: UInt) -> Bool {
        var cursor = FrameCursor(start)
        var location = location
        while cursor.address < end {
            let instruction = cursor.byte()
            let operand = UInt(instruction & 0x3f)
            switch instruction & 0xc0 {
            case 0x40: location &+= operand &* codeUnit
            case 0x80: save(operand, Int(bitPattern: cursor.number()) &* dataUnit)
            case 0xc0: restore(operand)
            default:
                switch operand {
                case 0x00: break  // nop
                case 0x01: return false  // set_loc: no compiler emits it
                case 0x02: location &+= UInt(cursor.byte()) &* codeUnit
                case 0x03: location &+= UInt(cursor.half()) &* codeUnit
                case 0x04: location &+= UInt(cursor.word()) &* codeUnit
                default: guard runExtended(operand, &cursor) else { return false }
                }
            }
            if location > code { return true }
        }
        return true
    }

    private mutating func runExtended(_ instruction: UInt, _ cursor: inout FrameCursor) -> Bool {
        switch instruction {
        case 0x05:  // offset_extended
            let register = cursor.number()
            save(register, Int(bitPattern: cursor.number()) &* dataUnit)
        case 0x06: restore(cursor.number())  // restore_extended
        case 0x07: lose(cursor.number())  // undefined
        case 0x08: keep(cursor.number())  // same_value
        case 0x09:  // register
            lose(cursor.number())
            _ = cursor.number()
        case 0x0a:  // remember_state
            guard depth < 8 else { return false }
            kept[depth] = row
            depth &+= 1
        case 0x0b:  // restore_state
            guard depth > 0 else { return false }
            depth &-= 1
            row = kept[depth]
        case 0x0c:  // def_cfa
            let register = cursor.number()
            setFrame(register, Int(bitPattern: cursor.number()))
        case 0x0d: setFrame(cursor.number(), row.rule.frameOffset)  // def_cfa_register
        case 0x0e: row.rule.frameOffset = Int(bitPattern: cursor.number())  // def_cfa_offset
        case 0x0f: setFrame(expression: &cursor)  // def_cfa_expression
        case 0x10: save(cursor.number(), expression: &cursor)  // expression
        case 0x11:  // offset_extended_sf
            let register = cursor.number()
            save(register, cursor.signedNumber() &* dataUnit)
        case 0x12:  // def_cfa_sf
            let register = cursor.number()
            setFrame(register, cursor.signedNumber() &* dataUnit)
        case 0x13: row.rule.frameOffset = cursor.signedNumber() &* dataUnit  // def_cfa_offset_sf
        case 0x14, 0x15:  // val_offset, val_offset_sf
            lose(cursor.number())
            _ = cursor.number()
        case 0x16:  // val_expression
            lose(cursor.number())
            let bytes = cursor.number()
            cursor.address &+= bytes
        case 0x2e: _ = cursor.number()  // GNU_args_size
        default: return false
        }
        return true
    }

    private mutating func setFrame(_ register: UInt, _ offset: Int) {
        row.rule.kind = .plain
        row.rule.usesFramePointer = register == Self.framePointer
        row.rule.frameOffset = offset
        row.isKnown = register == Self.framePointer || register == Self.stackPointer
    }

    /// The one form of a function that realigns its stack: the word at an offset from the frame
    /// pointer.
    private mutating func setFrame(expression cursor: inout FrameCursor) {
        let bytes = cursor.number()
        let end = cursor.address &+ bytes
        defer { cursor.address = end }
        let register = UInt(cursor.byte()) &- 0x70  // breg0...
        let offset = cursor.signedNumber()
        setFrame(register, offset)
        row.rule.kind = .indirect
        if cursor.address &+ 1 != end || cursor.byte() != 0x06 { row.isKnown = false }  // deref
    }

    private mutating func save(_ register: UInt, _ offset: Int) {
        if register == Self.framePointer {
            row.rule.savedPointer = .atFrame
            row.rule.savedOffset = offset
        } else if register == Self.returnAddress, offset != -8 {
            row.isKnown = false
        }
    }

    private mutating func save(_ register: UInt, expression cursor: inout FrameCursor) {
        let bytes = cursor.number()
        let end = cursor.address &+ bytes
        defer { cursor.address = end }
        guard register == Self.framePointer else {
            if register == Self.returnAddress { row.isKnown = false }
            return
        }
        let base = UInt(cursor.byte()) &- 0x70
        row.rule.savedOffset = cursor.signedNumber()
        row.rule.savedPointer = base == Self.framePointer && cursor.address == end ? .atPointer : .lost
    }

    private mutating func restore(_ register: UInt) {
        guard register == Self.framePointer else { return }
        row.rule.savedPointer = first.rule.savedPointer
        row.rule.savedOffset = first.rule.savedOffset
    }

    private mutating func keep(_ register: UInt) {
        if register == Self.framePointer { row.rule.savedPointer = .kept }
    }

    private mutating func lose(_ register: UInt) {
        if register == Self.framePointer { row.rule.savedPointer = .lost }
        if register == Self.returnAddress { row.rule.kind = .outermost }
    }
}
