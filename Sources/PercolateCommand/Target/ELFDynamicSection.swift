import CLinux

/// The dynamic section of an ELF file: the objects that it needs, and the names that it defines for
/// others.
struct ELFDynamicSection {
    /// The names of the shared objects that the loader loads with this one.
    let needed: [String]
    /// The name that a shared object gives itself.
    let soname: String?
    /// Those of the names asked for that the file defines itself.
    let defined: Set<String>

    /// The names whose definition decides who serves a program, and what a library is.
    static let namesOfInterest = Sanitizer.allCases.map(\.entryPoint) + ["malloc", PreloadLibrary.interfaceName]

    /// Some thirty are usual. A damaged file can claim any number.
    private static let mostEntries: UInt64 = 4096

    init(_ segment: Elf64_Phdr, loaded map: ELFLoadMap, in file: borrowing FileReader) throws(ELFError) {
        var entries: [(tag: Int64, value: UInt64)] = []
        let entrySize = UInt64(MemoryLayout<Elf64_Dyn>.size)
        for index in 0..<min(segment.p_filesz / entrySize, Self.mostEntries) {
            let (offset, overflow) = segment.p_offset.addingReportingOverflow(index * entrySize)
            guard !overflow else { throw .malformed }
            let tag = try file.value(Int64.self, at: offset)
            if tag == Int64(DT_NULL) { break }
            entries.append((tag, try file.value(UInt64.self, at: offset &+ 8)))
        }
        func values(_ tag: Int32) -> [UInt64] { entries.filter { $0.tag == Int64(tag) }.map(\.value) }

        // A static executable that relocates itself has a dynamic section but may need no strings.
        guard let strings = values(DT_STRTAB).first else {
            (needed, soname, defined) = ([], nil, [])
            return
        }
        let stringTable = try map.offset(ofAddress: strings)
        var needed: [String] = []
        for offset in values(DT_NEEDED) { needed.append(try file.string(at: stringTable &+ offset)) }
        self.needed = needed
        soname = if let offset = values(DT_SONAME).first { try file.string(at: stringTable &+ offset) } else { nil }

        guard let symbols = values(DT_SYMTAB).first else {
            defined = []
            return
        }
        let table = ELFSymbolTable(
            symbols: try map.offset(ofAddress: symbols), strings: stringTable,
            gnuHash: try Self.offset(entries.first { $0.tag == 0x6FFF_FEF5 }?.value, in: map),
            systemVHash: try Self.offset(values(DT_HASH).first, in: map))
        var defined: Set<String> = []
        for name in Self.namesOfInterest where try table.defines(name, in: file) { defined.insert(name) }
        self.defined = defined
    }

    private static func offset(_ address: UInt64?, in map: ELFLoadMap) throws(ELFError) -> UInt64? {
        guard let address else { return nil }
        return try map.offset(ofAddress: address)
    }
}
