import CPercolate

/// Finds the rule of an address in the unwinding information of the object that it belongs to:
/// `.eh_frame` by way of `.eh_frame_hdr` (Linux Standard Base, chapter "Exception Frames"; DWARF 4,
/// section 6.4). For x86-64; elsewhere nothing is known.
///
/// Only what leads to the caller is kept: the frame address, the return address and the frame
/// pointer. Forms that compilers do not use for these give `unknown`. The information belongs to an
/// object that a function of is running, so it is mapped and whole.
enum FrameInformation {
    /// The rule of the instruction at `code`.
    static func rule(at code: UInt) -> FrameRule {
        #if arch(x86_64)
            var object = percolate_object()
            guard percolate_find_object(code, &object), object.frame_header != 0,
                let description = description(of: code, header: object.frame_header)
            else { return FrameRule(.unknown) }
            return FrameProgram.run(description, to: code) ?? FrameRule(.unknown)
        #else
            return FrameRule(.unknown)
        #endif
    }

    /// The entry of the function of `code`, by the sorted table of the header: pairs of 4-byte
    /// offsets from the header.
    private static func description(of code: UInt, header: UInt) -> UInt? {
        // Version 1; the count as 4 unsigned bytes; the table as 4 signed bytes from the header:
        // what every linker makes.
        guard percolate_load8(header) == 1, percolate_load8(header &+ 2) == 0x03, percolate_load8(header &+ 3) == 0x3b
        else { return nil }
        var cursor = FrameCursor(header &+ 4)
        guard cursor.pointer(encoding: percolate_load8(header &+ 1)) != nil else { return nil }
        let count = Int(percolate_load32(cursor.address))
        let table = cursor.address &+ 4
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) / 2
            if start(table, middle, header) <= code { low = middle &+ 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        return offset(table &+ UInt(low &- 1) &* 8 &+ 4, header)
    }

    private static func start(_ table: UInt, _ index: Int, _ header: UInt) -> UInt {
        offset(table &+ UInt(index) &* 8, header)
    }

    private static func offset(_ address: UInt, _ header: UInt) -> UInt {
        header &+ UInt(bitPattern: Int(Int32(bitPattern: percolate_load32(address))))
    }
}

/// A place in unwinding information, and how what stands there is read.
struct FrameCursor {
    var address: UInt

    init(_ address: UInt) { self.address = address }

    mutating func byte() -> UInt8 {
        defer { address &+= 1 }
        return percolate_load8(address)
    }

    mutating func half() -> UInt16 {
        defer { address &+= 2 }
        return percolate_load16(address)
    }

    mutating func word() -> UInt32 {
        defer { address &+= 4 }
        return percolate_load32(address)
    }

    mutating func long() -> UInt64 {
        defer { address &+= 8 }
        return percolate_load64(address)
    }

    /// LEB128, unsigned.
    mutating func number() -> UInt {
        var result: UInt = 0
        var shift: UInt = 0
        while true {
            let part = byte()
            if shift < 64 { result |= UInt(part & 0x7f) &<< shift }
            shift &+= 7
            if part & 0x80 == 0 { return result }
        }
    }

    /// LEB128, signed.
    mutating func signedNumber() -> Int {
        var result: UInt = 0
        var shift: UInt = 0
        while true {
            let part = byte()
            if shift < 64 { result |= UInt(part & 0x7f) &<< shift }
            shift &+= 7
            guard part & 0x80 == 0 else { continue }
            if part & 0x40 != 0, shift < 64 { result |= ~0 &<< shift }
            return Int(bitPattern: result)
        }
    }

    /// A pointer in one of the encodings DW_EH_PE_*; nil for one that is not known. Only its size
    /// matters where it is indirect.
    mutating func pointer(encoding: UInt8) -> UInt? {
        let place = address
        var value: UInt
        switch encoding & 0x0f {
        case 0x00, 0x04, 0x0c: value = UInt(long())
        case 0x02: value = UInt(half())
        case 0x03: value = UInt(word())
        case 0x0a: value = UInt(bitPattern: Int(Int16(bitPattern: half())))
        case 0x0b: value = UInt(bitPattern: Int(Int32(bitPattern: word())))
        default: return nil
        }
        switch encoding & 0x70 {
        case 0x00: break
        case 0x10: value &+= place
        default: return nil
        }
        return value
    }
}
