import CPercolate

/// Eight bytes that repeat, aligned to addresses: what the byte at an address should be depends on
/// nothing else.
struct BytePattern {
    let word: UInt64

    /// What freed blocks are filled with. As a pointer it is no address that a process can have, so
    /// following it ends the process.
    static var freed: BytePattern { BytePattern(word: 0x9d9d_9d9d_9d9d_9d9d) }

    /// What lies behind the asked size of `block`: secret, different for each block, and of bytes
    /// from 0x80 to 0xbf. What is most often written too far is none of those: the 0 at the end of
    /// a string, ASCII, small numbers, and -1.
    static func canary(of block: UInt) -> BytePattern {
        let bits = Randomness.mix(percolate_random() ^ UInt64(block))
        return BytePattern(word: bits & 0x3f3f_3f3f_3f3f_3f3f | 0x8080_8080_8080_8080)
    }

    @inline(__always)
    private func byte(at address: UInt) -> UInt8 {
        UInt8(truncatingIfNeeded: word &>> UInt64((address & 7) &* 8))
    }

    /// The whole words of a range, and the bytes in front of them and behind them.
    private static func parts(_ range: Range<UInt>) -> (
        head: Range<UInt>, words: Range<UInt>, tail: Range<UInt>
    ) {
        let first = min(roundUp(range.lowerBound, 8), range.upperBound)
        let last = max(range.upperBound & ~7, first)
        return (range.lowerBound..<first, first..<last, last..<range.upperBound)
    }

    func fill(_ range: Range<UInt>) {
        let parts = Self.parts(range)
        fillBytes(parts.head)
        var address = parts.words.lowerBound
        while address < parts.words.upperBound {
            let cell: UnsafeMutablePointer<UInt64> = pointer(address)
            cell.pointee = word
            address &+= 8
        }
        fillBytes(parts.tail)
    }

    private func fillBytes(_ range: Range<UInt>) {
        var address = range.lowerBound
        while address < range.upperBound {
            let cell: UnsafeMutablePointer<UInt8> = pointer(address)
            cell.pointee = byte(at: address)
            address &+= 1
        }
    }

    /// The first address in `range` that holds something else.
    func firstDifference(in range: Range<UInt>) -> UInt? {
        let parts = Self.parts(range)
        if let address = firstDifferentByte(parts.head) { return address }
        if percolate_words_equal(parts.words.lowerBound, word, parts.words.count / 8) == 0 {
            return firstDifferentByte(parts.words)
        }
        return firstDifferentByte(parts.tail)
    }

    private func firstDifferentByte(_ range: Range<UInt>) -> UInt? {
        var address = range.lowerBound
        while address < range.upperBound {
            let cell: UnsafeMutablePointer<UInt8> = pointer(address)
            if cell.pointee != byte(at: address) { return address }
            address &+= 1
        }
        return nil
    }
}
