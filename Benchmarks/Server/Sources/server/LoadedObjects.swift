import Foundation

/// Where the program and its libraries are in memory, from proc(5), maps.
struct LoadedObjects {
    private struct Mapping {
        var addresses: Range<UInt>
        var path: Substring
    }

    private let mappings: [Mapping]

    init() throws {
        // As a file handle: a string's contents of a file in /proc are its first 4 KiB.
        let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/maps"))
        let maps = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        mappings = maps.split(separator: "\n").compactMap { line in
            // Addresses, permissions, offset, device, node, and the path, which may have spaces.
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count == 6 else { return nil }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            let path = fields[5].drop { $0 == " " }
            guard ends.count == 2, path.hasPrefix("/") else { return nil }
            return Mapping(addresses: ends[0]..<ends[1], path: path)
        }
    }

    /// The object that has an address and the address in it, as tools for object files count.
    func name(of address: UInt) -> String {
        guard let mapping = mappings.first(where: { $0.addresses.contains(address) }),
            let first = mappings.first(where: { $0.path == mapping.path })
        else { return "0x" + String(address, radix: 16) }
        return "\(mapping.path)+0x\(String(address - first.addresses.lowerBound, radix: 16))"
    }
}
