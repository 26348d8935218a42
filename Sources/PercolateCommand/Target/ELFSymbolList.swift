import CLinux
import SystemPackage

/// Names of functions in an ELF file's tables of symbols: those that it takes from others and,
/// unless it is stripped, its own.
struct ELFSymbolList {
    struct Symbol {
        let name: String
        let isDefined: Bool
    }

    /// Dynamic symbols first.
    let all: [Symbol]

    /// Those whose name `isOfInterest`: there may be hundreds of thousands.
    init(of path: FilePath, where isOfInterest: (ArraySlice<UInt8>) -> Bool) throws(ELFError) {
        let file = try FileReader(path)
        guard try ELFFile(at: path).machine == .native else {
            all = []
            return
        }
        let sections = try ELFSection.all(try file.value(Elf64_Ehdr.self, at: 0), in: file)
        var all: [Symbol] = []
        for (table, strings) in [(".dynsym", ".dynstr"), (".symtab", ".strtab")] {
            guard let table = sections.first(where: { $0.name == table }),
                let strings = sections.first(where: { $0.name == strings })
            else { continue }
            all += try Self.symbols(in: table, strings, of: file, where: isOfInterest)
        }
        self.all = all
    }

    private static func symbols(
        in table: ELFSection, _ strings: ELFSection, of file: borrowing FileReader,
        where isOfInterest: (ArraySlice<UInt8>) -> Bool
    ) throws(ELFError) -> [Symbol] {
        let symbols = try file.prefix(Int(table.size), at: table.offset)
        let names = try file.prefix(Int(strings.size), at: strings.offset)
        let size = MemoryLayout<Elf64_Sym>.size
        var result: [Symbol] = []
        for index in 0..<symbols.count / size {
            let symbol = symbols.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: index * size, as: Elf64_Sym.self) }
            let kind = Int32(symbol.st_info & 0xF)
            guard kind == STT_FUNC || kind == STT_NOTYPE, Int(symbol.st_name) < names.count else { continue }
            let name = names[Int(symbol.st_name)...].prefix { $0 != 0 }
            // A file before it is stripped names a version behind the name.
            let plain = name.prefix { $0 != UInt8(ascii: "@") }
            guard isOfInterest(plain) else { continue }
            result.append(
                Symbol(
                    name: String(decoding: plain, as: UTF8.self), isDefined: symbol.st_shndx != UInt16(SHN_UNDEF)))
        }
        return result
    }
}
