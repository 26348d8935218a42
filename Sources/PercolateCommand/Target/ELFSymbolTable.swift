import CLinux

/// The dynamic symbols of an ELF file, found by name through its hash table, as the loader finds
/// them. All positions are offsets in the file; arithmetic wraps, and a wrong offset ends as a read
/// beyond the file's end.
struct ELFSymbolTable {
    let symbols: UInt64
    let strings: UInt64
    /// `DT_GNU_HASH`, which today's linkers write.
    let gnuHash: UInt64?
    /// `DT_HASH`, which older and other linkers write.
    let systemVHash: UInt64?

    /// Whether the file defines `name`, rather than only using it.
    func defines(_ name: String, in file: borrowing FileReader) throws(ELFError) -> Bool {
        if let gnuHash { return try find(name, gnuHash: gnuHash, in: file) }
        if let systemVHash { return try find(name, systemVHash: systemVHash, in: file) }
        return false
    }

    private func find(
        _ name: String, gnuHash start: UInt64, in file: borrowing FileReader
    ) throws(ELFError) -> Bool {
        let buckets = try file.value(UInt32.self, at: start)
        let firstSymbol = try file.value(UInt32.self, at: start &+ 4)
        let filterWords = try file.value(UInt32.self, at: start &+ 8)
        guard buckets > 0 else { return false }
        let bucketStart = start &+ 16 &+ UInt64(filterWords) * 8
        let chainStart = bucketStart &+ UInt64(buckets) * 4
        let hash = name.utf8.reduce(UInt32(5381)) { $0 &* 33 &+ UInt32($1) }

        var index = try file.value(UInt32.self, at: bucketStart &+ UInt64(hash % buckets) * 4)
        guard index >= firstSymbol, index > 0 else { return false }
        while true {
            let link = try file.value(UInt32.self, at: chainStart &+ UInt64(index - firstSymbol) * 4)
            // The lowest bit of a link marks the end of its chain and is no part of the hash.
            if link | 1 == hash | 1, try isDefinition(of: name, index, in: file) { return true }
            if link & 1 == 1 { return false }
            guard index < UInt32.max else { throw .malformed }
            index += 1
        }
    }

    private func find(
        _ name: String, systemVHash start: UInt64, in file: borrowing FileReader
    ) throws(ELFError) -> Bool {
        let buckets = try file.value(UInt32.self, at: start)
        let links = try file.value(UInt32.self, at: start &+ 4)
        guard buckets > 0 else { return false }
        let hash = name.utf8.reduce(UInt32(0)) { hash, byte in
            let sum = hash << 4 &+ UInt32(byte)
            let top = sum & 0xF000_0000
            return (sum ^ top >> 24) & ~top
        }
        var index = try file.value(UInt32.self, at: start &+ 8 &+ UInt64(hash % buckets) * 4)
        // A damaged table may link in a circle: there are no more steps than links.
        for _ in 0..<links where index != 0 {
            if try isDefinition(of: name, index, in: file) { return true }
            index = try file.value(UInt32.self, at: start &+ 8 &+ (UInt64(buckets) + UInt64(index)) * 4)
        }
        return false
    }

    private func isDefinition(
        of name: String, _ index: UInt32, in file: borrowing FileReader
    ) throws(ELFError) -> Bool {
        let offset = symbols &+ UInt64(index) * UInt64(MemoryLayout<Elf64_Sym>.size)
        let symbol = try file.value(Elf64_Sym.self, at: offset)
        guard symbol.st_shndx != UInt16(SHN_UNDEF) else { return false }
        let text = try file.prefix(name.utf8.count + 1, at: strings &+ UInt64(symbol.st_name))
        return text.elementsEqual(Array(name.utf8) + [0])
    }
}
