/// Messages of protocol buffers, as far as profiles need them: numbers, strings and messages in
/// fields (protobuf.dev/programming-guides/encoding). Profiles have five kinds of messages of flat
/// fields, for which a generator and its runtime, a build of several minutes, would be out of
/// proportion.
struct ProtocolBufferWriter {
    private(set) var bytes: [UInt8] = []

    private mutating func variable(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A field of value 0 is left out: that is what a reader takes for one that is not there.
    mutating func number(_ field: Int, _ value: UInt64) {
        guard value != 0 else { return }
        variable(UInt64(field) << 3)
        variable(value)
    }

    mutating func number(_ field: Int, _ value: Int64) { number(field, UInt64(bitPattern: value)) }

    mutating func content(_ field: Int, _ content: [UInt8]) {
        variable(UInt64(field) << 3 | 2)
        variable(UInt64(content.count))
        bytes += content
    }

    mutating func message(_ field: Int, _ body: (inout ProtocolBufferWriter) -> Void) {
        var message = ProtocolBufferWriter()
        body(&message)
        content(field, message.bytes)
    }

    mutating func numbers(_ field: Int, _ values: [UInt64]) {
        var list = ProtocolBufferWriter()
        for value in values { list.variable(value) }
        content(field, list.bytes)
    }
}

/// Reads what `ProtocolBufferWriter` and other encoders write.
struct ProtocolBufferReader {
    enum Value {
        case number(UInt64)
        case content(ArraySlice<UInt8>)

        /// Of a field that repeats: packed, or one by one.
        var numbers: [UInt64] {
            switch self {
            case .number(let value): return [value]
            case .content(let bytes):
                var reader = ProtocolBufferReader(bytes)
                var values: [UInt64] = []
                while !reader.bytes.isEmpty, let value = reader.variable() { values.append(value) }
                return values
            }
        }

        var number: UInt64 { if case .number(let value) = self { value } else { 0 } }
        var content: ArraySlice<UInt8> { if case .content(let bytes) = self { bytes } else { [] } }
    }

    private var bytes: ArraySlice<UInt8>
    /// Whether something was no message.
    private(set) var isDamaged = false

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    private mutating func variable() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst(), shift < 64 {
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        isDamaged = true
        return nil
    }

    /// The next field; nil at the end, and where the bytes are no message.
    mutating func next() -> (field: Int, value: Value)? {
        guard !bytes.isEmpty, let key = variable() else { return nil }
        let field = Int(truncatingIfNeeded: key >> 3)
        switch key & 7 {
        case 0: return variable().map { (field, .number($0)) }
        case 1: return fixed(8).map { (field, .content($0)) }
        case 2: return variable().flatMap { fixed($0) }.map { (field, .content($0)) }
        case 5: return fixed(4).map { (field, .content($0)) }
        default:
            isDamaged = true
            return nil
        }
    }

    private mutating func fixed(_ count: UInt64) -> ArraySlice<UInt8>? {
        guard count <= UInt64(bytes.count) else {
            isDamaged = true
            return nil
        }
        let part = bytes.prefix(Int(count))
        bytes = bytes.dropFirst(Int(count))
        return part
    }
}
