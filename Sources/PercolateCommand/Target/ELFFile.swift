import CLinux
import SystemPackage

/// What the loader will make of an ELF file: read from its program headers, as the kernel and the
/// loader do, and never from its sections, which a stripped file need not have.
struct ELFFile {
    enum Kind { case executable, shared, other }

    let machine: ELFMachine
    let kind: Kind
    /// The path of the dynamic loader, nil for a file that the kernel starts without one.
    let interpreter: String?
    /// Nil for a file without dynamic linking.
    let dynamic: ELFDynamicSection?

    /// Reads the file at `path`. Of a file for another machine only `machine` is read; the rest is
    /// empty.
    init(at path: FilePath) throws(ELFError) {
        let file = try FileReader(path)
        let identification = try file.prefix(Int(EI_NIDENT), at: 0)
        guard identification.starts(with: [0x7F, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]) else {
            throw .notELF
        }
        guard identification.count == Int(EI_NIDENT) else { throw .malformed }
        let (wordClass, byteOrder) = (identification[Int(EI_CLASS)], identification[Int(EI_DATA)])
        // The machine's number is at the same place in both classes, but in the file's byte order.
        let number = try file.value(UInt16.self, at: UInt64(EI_NIDENT) + 2)
        machine = ELFMachine(
            wordClass: wordClass, byteOrder: byteOrder,
            number: byteOrder == UInt8(ELFDATA2MSB) ? UInt16(bigEndian: number) : UInt16(littleEndian: number))
        guard machine == .native else {
            (kind, interpreter, dynamic) = (.other, nil, nil)
            return
        }

        let header = try file.value(Elf64_Ehdr.self, at: 0)
        kind =
            switch Int32(header.e_type) {
            case ET_EXEC: .executable
            case ET_DYN: .shared
            default: .other
            }
        let segments = try Self.segments(header, in: file)
        if let segment = segments.first(where: { $0.p_type == UInt32(PT_INTERP) }) {
            interpreter = try file.string(at: segment.p_offset)
        } else {
            interpreter = nil
        }
        if let segment = segments.first(where: { $0.p_type == UInt32(PT_DYNAMIC) }) {
            dynamic = try ELFDynamicSection(segment, loaded: ELFLoadMap(segments), in: file)
        } else {
            dynamic = nil
        }
    }

    static func segments(_ header: Elf64_Ehdr, in file: borrowing FileReader) throws(ELFError) -> [Elf64_Phdr] {
        // The kernel refuses any other entry size too.
        guard header.e_phnum == 0 || Int(header.e_phentsize) == MemoryLayout<Elf64_Phdr>.size else { throw .malformed }
        var segments: [Elf64_Phdr] = []
        for index in 0..<UInt64(header.e_phnum) {
            let (offset, overflow) = header.e_phoff.addingReportingOverflow(index * UInt64(header.e_phentsize))
            guard !overflow else { throw .malformed }
            segments.append(try file.value(Elf64_Phdr.self, at: offset))
        }
        return segments
    }
}
