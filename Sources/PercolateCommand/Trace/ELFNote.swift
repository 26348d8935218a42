/// One entry of a note section: who wrote it, what it is, and its bytes.
struct ELFNote {
    let owner: String
    let type: UInt32
    let content: ArraySlice<UInt8>

    /// Reads the note at `position` and moves that to the next one. Throws `malformed` where the
    /// note is longer than the section.
    init(_ section: [UInt8], at position: inout Int) throws(ELFError) {
        guard section.count - position >= 12 else { throw .malformed }
        let start = position
        let sizes = section.withUnsafeBytes { bytes in
            (0..<3).map { bytes.loadUnaligned(fromByteOffset: start + $0 * 4, as: UInt32.self) }
        }
        let name = start + 12
        let content = name + Self.aligned(Int(sizes[0]))
        let end = content + Int(sizes[1])
        guard end <= section.count else { throw .malformed }
        owner = String(decoding: section[name..<(name + Int(sizes[0]))].prefix { $0 != 0 }, as: UTF8.self)
        type = sizes[2]
        self.content = section[content..<end]
        position = min(Self.aligned(end), section.count)
    }

    private static func aligned(_ size: Int) -> Int { (size + 3) & ~3 }
}
