import CPercolate

/// Text of at most `capacity` bytes, built without allocating and written by raw `write(2)`.
///
/// What does not fit is dropped. Safe in signal handlers.
struct TextBuffer<let capacity: Int> {
    private var bytes = InlineArray<capacity, UInt8>(repeating: 0)
    private(set) var count = 0

    mutating func append(byte: UInt8) {
        guard count < capacity else { return }
        bytes[count] = byte
        count &+= 1
    }

    mutating func append(_ text: StaticString) {
        var next = text.utf8Start
        for _ in 0..<text.utf8CodeUnitCount {
            append(byte: next.pointee)
            next += 1
        }
    }

    mutating func append<let length: Int>(_ other: borrowing TextBuffer<length>) {
        for index in 0..<other.count { append(byte: other.byte(index)) }
    }

    private func byte(_ index: Int) -> UInt8 { bytes[index] }

    /// Appends a C string, at most `limit` bytes of it.
    mutating func append(cString text: UnsafePointer<CChar>, limit: Int = 256) {
        var index = 0
        while index < limit, text[index] != 0 {
            append(byte: UInt8(bitPattern: text[index]))
            index &+= 1
        }
    }

    mutating func append(_ number: some FixedWidthInteger) {
        var value = UInt64(truncatingIfNeeded: number)
        if number < 0 {
            append(byte: UInt8(ascii: "-"))
            value = 0 &- value
        }
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor &*= 10 }
        while divisor > 0 {
            append(byte: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    mutating func append(hexadecimal value: UInt) {
        append("0x")
        var shift = 60
        while shift > 0, value >> UInt(shift) == 0 { shift &-= 4 }
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt(shift) & 15)
            append(byte: digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &+ digit &- 10)
            shift &-= 4
        }
    }

    /// Forgets what comes after the first `length` bytes.
    mutating func truncate(to length: Int) { count = min(count, length) }

    /// Says that the first `length` bytes, which somebody wrote in place, are the text.
    mutating func setCount(_ length: Int) { count = min(length, capacity) }

    /// The bytes of `buffer`, which has an address of its own.
    static func bytes(of buffer: UnsafeMutablePointer<TextBuffer>) -> UnsafePointer<CChar> {
        UnsafeRawPointer(buffer).assumingMemoryBound(to: CChar.self)
    }

    /// Writes everything to `descriptor`; false when the kernel refused a part.
    mutating func write(to descriptor: Int32) -> Bool {
        let count = count
        return withUnsafeMutableBytes(of: &bytes) { raw in
            guard let start = raw.baseAddress else { return false }
            var done = 0
            while done < count {
                let written = percolate_write(descriptor, start + done, count &- done)
                if written == -Int(EINTR) { continue }
                guard written > 0 else { return false }
                done &+= written
            }
            return true
        }
    }
}

/// A line: small enough for the stack of a thread that has little of it, or of a signal handler.
typealias TextLine = TextBuffer<512>

/// A page.
typealias TextPage = TextBuffer<4096>
