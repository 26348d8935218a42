import SystemPackage

/// The mappings of a process, from /proc/PID/maps.
struct MemoryMap {
    struct Mapping {
        let start: UInt64
        let end: UInt64
        let offset: UInt64
        let isExecutable: Bool
        /// Device and inode: which file it is, whatever has its name now.
        let file: String
        /// The file's path in the process's root, empty for none.
        let path: String
        /// Whether the file has lost its name since.
        let isDeleted: Bool
    }

    /// By address.
    let mappings: [Mapping]

    init(_ text: String) {
        mappings = text.split(separator: "\n").compactMap { Self.mapping($0) }
    }

    private static func mapping(_ line: Substring) -> Mapping? {
        let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
        guard words.count >= 5, let dash = words[0].firstIndex(of: "-"),
            let start = UInt64(words[0][..<dash], radix: 16),
            let end = UInt64(words[0][words[0].index(after: dash)...], radix: 16),
            let offset = UInt64(words[2], radix: 16)
        else { return nil }
        var path = words.count > 5 ? String(words[5].drop { $0 == " " }) : ""
        let isDeleted = path.hasSuffix(" (deleted)")
        if isDeleted { path.removeLast(" (deleted)".count) }
        return Mapping(
            start: start, end: end, offset: offset, isExecutable: words[1].contains("x"),
            file: "\(words[3]) \(words[4])",
            path: path, isDeleted: isDeleted)
    }

    /// The first mapping of each file that is mapped from its beginning: where an ELF file's header
    /// is.
    var objects: [Mapping] {
        mappings.filter { $0.offset == 0 && $0.path.hasPrefix("/") && !$0.file.hasSuffix(" 0") }
    }

    func mapping(of address: UInt64) -> Mapping? {
        var low = 0
        var high = mappings.count
        while low < high {
            let middle = (low + high) / 2
            if mappings[middle].end <= address { low = middle + 1 } else { high = middle }
        }
        return low < mappings.count && mappings[low].start <= address ? mappings[low] : nil
    }
}
