import CLinux

/// A section of an ELF file: what is not loaded, such as the notes of probes, is found by its name
/// only.
struct ELFSection {
    let name: String
    let address: UInt64
    let offset: UInt64
    let size: UInt64

    /// No note section and no table of names is larger. A damaged file can claim any size.
    private static let largest: UInt64 = 1 << 24

    /// All sections but those larger than is possible here, none for a file without a section
    /// table.
    static func all(_ header: Elf64_Ehdr, in file: borrowing FileReader) throws(ELFError) -> [ELFSection] {
        guard header.e_shnum > 0 else { return [] }
        guard Int(header.e_shentsize) == MemoryLayout<Elf64_Shdr>.size, header.e_shstrndx < header.e_shnum else {
            throw .malformed
        }
        var entries: [Elf64_Shdr] = []
        for index in 0..<UInt64(header.e_shnum) {
            let (offset, overflow) = header.e_shoff.addingReportingOverflow(index * UInt64(header.e_shentsize))
            guard !overflow else { throw .malformed }
            entries.append(try file.value(Elf64_Shdr.self, at: offset))
        }
        let names = entries[Int(header.e_shstrndx)]
        var sections: [ELFSection] = []
        for entry in entries where entry.sh_size <= largest {
            sections.append(
                ELFSection(
                    name: try file.string(at: names.sh_offset &+ UInt64(entry.sh_name)), address: entry.sh_addr,
                    offset: entry.sh_offset, size: entry.sh_size))
        }
        return sections
    }
}
