import CLinux
import SystemPackage

/// An ELF object as it is mapped in another process: read from that process's memory, so it does
/// not matter what has become of the file.
struct MappedObject {
    /// What is added to the object's own addresses.
    let bias: UInt64
    let segments: [Elf64_Phdr]
    private let start: UInt64

    /// Nil where no ELF object of this machine is mapped at `start`.
    init?(at start: UInt64, in memory: inout RemoteMemory) throws(Errno) {
        let header = try memory.kept(Elf64_Ehdr.self, at: start)
        let magic = withUnsafeBytes(of: header.e_ident) { Array($0.prefix(4)) }
        guard magic == [0x7F, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")],
            header.e_machine == ELFMachine.native.number,
            Int(header.e_phentsize) == MemoryLayout<Elf64_Phdr>.size,
            header.e_phnum < 256
        else { return nil }
        var segments: [Elf64_Phdr] = []
        for index in 0..<UInt64(header.e_phnum) {
            let address = start &+ header.e_phoff &+ index * UInt64(MemoryLayout<Elf64_Phdr>.size)
            segments.append(try memory.kept(Elf64_Phdr.self, at: address))
        }
        guard
            let first = segments.first(where: { $0.p_type == UInt32(PT_LOAD) && $0.p_offset == 0 })
        else {
            return nil
        }
        bias = start &- first.p_vaddr
        self.segments = segments
        self.start = start
    }

    /// The address of a symbol that the object exports; nil for none.
    func address(of name: String, in memory: inout RemoteMemory) throws(Errno) -> UInt64? {
        guard let dynamic = segments.first(where: { $0.p_type == UInt32(PT_DYNAMIC) }) else {
            return nil
        }
        var tables: [Int64: UInt64] = [:]
        let entrySize = UInt64(MemoryLayout<Elf64_Dyn>.size)
        for index in 0..<min(dynamic.p_memsz / entrySize, 512) {
            let entry = bias &+ dynamic.p_vaddr &+ index * entrySize
            let tag = try memory.kept(Int64.self, at: entry)
            if tag == Int64(DT_NULL) { break }
            tables[tag] = try memory.kept(UInt64.self, at: entry &+ 8)
        }
        guard let symbols = tables[Int64(DT_SYMTAB)], let strings = tables[Int64(DT_STRTAB)],
            let hash = tables[Int64(DT_GNU_HASH)]
        else { return nil }
        return try find(
            name, symbols: loaded(symbols), strings: loaded(strings), hash: loaded(hash),
            in: &memory)
    }

    /// The dynamic loader replaces addresses in the object by those in the process, on most
    /// machines.
    private func loaded(_ address: UInt64) -> UInt64 { address < start ? address &+ bias : address }

    /// By the hash table that GNU's loader uses: buckets of symbols with equal hash, each chain's
    /// last hash odd.
    private func find(
        _ name: String, symbols: UInt64, strings: UInt64, hash: UInt64,
        in memory: inout RemoteMemory
    ) throws(Errno) -> UInt64? {
        let bucketCount = try memory.kept(UInt32.self, at: hash)
        let firstSymbol = try memory.kept(UInt32.self, at: hash &+ 4)
        let filterWords = try memory.kept(UInt32.self, at: hash &+ 8)
        guard bucketCount > 0 else { return nil }
        let wanted = name.utf8.reduce(UInt32(5381)) { $0 &* 33 &+ UInt32($1) }
        let buckets = hash &+ 16 &+ UInt64(filterWords) * 8
        let chains = buckets &+ UInt64(bucketCount) * 4
        var index = try memory.kept(UInt32.self, at: buckets &+ UInt64(wanted % bucketCount) * 4)
        guard index >= firstSymbol else { return nil }
        for _ in 0..<65536 {
            let value = try memory.kept(UInt32.self, at: chains &+ UInt64(index - firstSymbol) * 4)
            if value | 1 == wanted | 1 {
                let symbol = try memory.kept(
                    Elf64_Sym.self,
                    at: symbols &+ UInt64(index) * UInt64(MemoryLayout<Elf64_Sym>.size))
                let found = try memory.string(at: strings &+ UInt64(symbol.st_name))
                if found == name, symbol.st_shndx != UInt16(SHN_UNDEF) {
                    return bias &+ symbol.st_value
                }
            }
            if value & 1 != 0 { return nil }
            index += 1
        }
        return nil
    }
}
