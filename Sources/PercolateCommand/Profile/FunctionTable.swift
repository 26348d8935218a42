import CLinux
import SystemPackage

/// The functions of an ELF file by address, from its sections: the full symbol table where it has
/// one, else the dynamic one.
struct FunctionTable {
    struct Function {
        let start: UInt64
        let size: UInt64
        let name: String
    }

    let buildID: String
    private let functions: [Function]
    /// Whether the file has the full table, and whether it has lines.
    let isFull: Bool
    let hasLines: Bool
    /// The loadable segments: an offset of the file in the first, its address in the second.
    private let segments: [(offset: UInt64, address: UInt64, size: UInt64)]

    init(of path: FilePath) throws(ELFError) {
        let file = try FileReader(path)
        let header = try file.value(Elf64_Ehdr.self, at: 0)
        guard withUnsafeBytes(of: header.e_ident, { $0.starts(with: [0x7F, 0x45, 0x4C, 0x46]) })
        else { throw .notELF }
        let programHeaders = try ELFFile.segments(header, in: file)
        segments = programHeaders.filter { $0.p_type == UInt32(PT_LOAD) }.map {
            ($0.p_offset, $0.p_vaddr, $0.p_filesz)
        }
        buildID = try Self.buildID(programHeaders, in: file)
        let sections = try Self.sections(header, in: file)
        var full: [Function] = []
        for section in sections where section.sh_type == UInt32(SHT_SYMTAB) {
            full += try Self.functions(section, sections, in: file)
        }
        isFull = !full.isEmpty
        if full.isEmpty {
            for section in sections where section.sh_type == UInt32(SHT_DYNSYM) {
                full += try Self.functions(section, sections, in: file)
            }
        }
        functions = full.sorted { ($0.start, $0.size) < ($1.start, $1.size) }
        hasLines = try Self.hasSection(".debug_line", header, sections, in: file)
    }

    private static func sections(_ header: Elf64_Ehdr, in file: borrowing FileReader)
        throws(ELFError) -> [Elf64_Shdr]
    {
        guard header.e_shnum > 0 else { return [] }
        guard Int(header.e_shentsize) == MemoryLayout<Elf64_Shdr>.size else { throw .malformed }
        var sections: [Elf64_Shdr] = []
        for index in 0..<UInt64(header.e_shnum) {
            let (offset, overflow) = header.e_shoff.addingReportingOverflow(
                index * UInt64(header.e_shentsize))
            guard !overflow else { throw .malformed }
            sections.append(try file.value(Elf64_Shdr.self, at: offset))
        }
        return sections
    }

    private static func hasSection(
        _ name: String, _ header: Elf64_Ehdr, _ sections: [Elf64_Shdr],
        in file: borrowing FileReader
    ) throws(ELFError) -> Bool {
        guard Int(header.e_shstrndx) < sections.count else { return false }
        let names = sections[Int(header.e_shstrndx)]
        for section in sections where section.sh_size > 0 {
            if try file.string(at: names.sh_offset &+ UInt64(section.sh_name)) == name {
                return true
            }
        }
        return false
    }

    /// STT_GNU_IFUNC, which older headers do not name.
    private static let indirectFunction: UInt8 = 10

    /// A damaged file can claim any size.
    private static let largestTable: UInt64 = 1 << 30

    private static func functions(
        _ table: Elf64_Shdr, _ sections: [Elf64_Shdr], in file: borrowing FileReader
    ) throws(ELFError) -> [Function] {
        guard Int(table.sh_link) < sections.count, table.sh_size <= largestTable else {
            throw .malformed
        }
        let strings = sections[Int(table.sh_link)]
        guard strings.sh_size <= largestTable else { throw .malformed }
        let names = try file.prefix(Int(strings.sh_size), at: strings.sh_offset)
        let symbols = try file.prefix(Int(table.sh_size), at: table.sh_offset)
        let size = MemoryLayout<Elf64_Sym>.size
        return symbols.withUnsafeBytes { bytes in
            (0..<(bytes.count / size)).compactMap { number in
                let symbol = bytes.loadUnaligned(fromByteOffset: number * size, as: Elf64_Sym.self)
                let type = symbol.st_info & 15
                guard type == UInt8(STT_FUNC) || type == indirectFunction,
                    symbol.st_shndx != UInt16(SHN_UNDEF),
                    Int(symbol.st_name) < names.count
                else { return nil }
                let name = names[Int(symbol.st_name)...].prefix { $0 != 0 }
                return Function(
                    start: symbol.st_value, size: symbol.st_size,
                    name: String(decoding: name, as: UTF8.self))
            }
        }
    }

    private static func buildID(
        _ segments: [Elf64_Phdr], in file: borrowing FileReader
    ) throws(ELFError) -> String {
        for segment in segments
        where segment.p_type == UInt32(PT_NOTE) && segment.p_filesz < 1 << 20 {
            let notes = try file.prefix(Int(segment.p_filesz), at: segment.p_offset)
            var position = 0
            while position < notes.count {
                let note = try ELFNote(notes, at: &position)
                guard note.owner == "GNU", note.type == UInt32(NT_GNU_BUILD_ID) else { continue }
                return note.content.map { byte in
                    let digits = String(byte, radix: 16)
                    return digits.count == 1 ? "0" + digits : digits
                }.joined()
            }
        }
        return ""
    }

    /// The file's own address of what is at `offset` of the file.
    func address(ofOffset offset: UInt64) -> UInt64? {
        segments.first { offset >= $0.offset && offset - $0.offset < $0.size }.map {
            $0.address + (offset - $0.offset)
        }
    }

    /// The name of the function at one of the file's own addresses.
    func name(at address: UInt64) -> String? {
        var low = 0
        var high = functions.count
        while low < high {
            let middle = (low + high) / 2
            if functions[middle].start <= address { low = middle + 1 } else { high = middle }
        }
        // Functions of assembly have no size: what is behind them belongs to them until the next
        // one begins.
        while low > 0 {
            let function = functions[low - 1]
            if function.size == 0 || address - function.start < function.size {
                return function.name
            }
            if address - function.start > 1 << 24 { return nil }
            low -= 1
            if functions[low].start != function.start, function.size != 0 { return nil }
        }
        return nil
    }
}
