import CLinux

/// One statically defined probe of a file, as a note of the section `.note.stapsdt` describes it:
/// where the kernel can stop a thread that comes by, which counter makes the program come by, and
/// where the arguments are then.
struct ProbePoint {
    let provider: String
    let name: String
    /// Offset in the file of the instruction.
    let offset: UInt64
    /// Offset in the file of the semaphore, nil for a probe without one.
    let semaphore: UInt64?
    let arguments: [ProbeArgument]

    /// The registers that the arguments are in, as the bits of `perf_event_attr.sample_regs_user`.
    var registers: UInt64 { arguments.reduce(0) { $0 | $1.registers } }
}

extension ProbePoint {
    /// The number of a note that describes a probe (`NT_STAPSDT`).
    private static let noteType: UInt32 = 3

    /// All probes of a file, none when it has no notes of any. Throws `malformed` when a note
    /// cannot be understood.
    static func all(in file: borrowing FileReader) throws(ELFError) -> [ProbePoint] {
        let header = try file.value(Elf64_Ehdr.self, at: 0)
        let map = ELFLoadMap(try ELFFile.segments(header, in: file))
        let sections = try ELFSection.all(header, in: file)
        guard let notes = sections.first(where: { $0.name == ".note.stapsdt" }) else { return [] }
        let base = sections.first { $0.name == ".stapsdt.base" }?.address
        let bytes = try file.prefix(Int(notes.size), at: notes.offset)
        guard bytes.count == Int(notes.size) else { throw .malformed }

        var points: [ProbePoint] = []
        var position = 0
        while position < bytes.count {
            let note = try ELFNote(bytes, at: &position)
            guard note.type == noteType, note.owner == "stapsdt" else { continue }
            points.append(try ProbePoint(note.content, base: base, loaded: map))
        }
        return points
    }

    private init(_ content: ArraySlice<UInt8>, base: UInt64?, loaded map: ELFLoadMap) throws(ELFError) {
        let words = content.prefix(24).withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count & ~7, by: 8).map {
                bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self)
            }
        }
        let texts = content.dropFirst(24).split(separator: 0, omittingEmptySubsequences: false)
        guard words.count == 3, texts.count >= 3 else { throw .malformed }
        // A file whose sections were moved after it was linked says by how much: its base is
        // elsewhere than the note believes.
        let moved = base.map { $0 &- words[1] } ?? 0
        provider = String(decoding: texts[0], as: UTF8.self)
        name = String(decoding: texts[1], as: UTF8.self)
        offset = try map.offset(ofAddress: words[0] &+ moved)
        semaphore = words[2] == 0 ? nil : try map.offset(ofAddress: words[2] &+ moved)
        var arguments: [ProbeArgument] = []
        for text in texts[2].split(separator: UInt8(ascii: " ")) {
            guard let argument = ProbeArgument(String(decoding: text, as: UTF8.self)) else { throw .malformed }
            arguments.append(argument)
        }
        self.arguments = arguments
    }
}
