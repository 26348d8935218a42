import CLinux
import Glibc
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
    init(of path: FilePath, where isOfInterest: (UnsafeRawBufferPointer) -> Bool) throws(ELFError) {
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
            // A damaged table of names need not end in a zero.
            let names = try file.prefix(Int(strings.size), at: strings.offset) + [0]
            let symbols = try file.prefix(Int(table.size), at: table.offset)
            names.withUnsafeBytes { names in
                symbols.withUnsafeBytes { all += Self.symbols($0, called: names, where: isOfInterest) }
            }
        }
        self.all = all
    }

    private static func symbols(
        _ symbols: UnsafeRawBufferPointer, called names: UnsafeRawBufferPointer,
        where isOfInterest: (UnsafeRawBufferPointer) -> Bool
    ) -> [Symbol] {
        guard let texts = names.baseAddress else { return [] }
        var result: [Symbol] = []
        let size = MemoryLayout<Elf64_Sym>.size
        for index in 0..<symbols.count / size {
            let symbol = symbols.loadUnaligned(fromByteOffset: index * size, as: Elf64_Sym.self)
            let kind = Int32(symbol.st_info & 0xF)
            guard kind == STT_FUNC || kind == STT_NOTYPE, Int(symbol.st_name) < names.count else { continue }
            let text = texts + Int(symbol.st_name)
            let length = strlen(text.assumingMemoryBound(to: CChar.self))
            // A version may stand behind the name.
            let end = memchr(text, Int32(UInt8(ascii: "@")), length).map { UnsafeRawPointer($0) - text } ?? length
            let name = UnsafeRawBufferPointer(start: text, count: end)
            guard isOfInterest(name) else { continue }
            result.append(
                Symbol(name: String(decoding: name, as: UTF8.self), isDefined: symbol.st_shndx != UInt16(SHN_UNDEF)))
        }
        return result
    }
}
