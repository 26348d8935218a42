import Glibc
import SystemPackage

/// Gives addresses of a process names: from the files that are mapped there, and their debug files.
struct Symbolizer {
    private let process: pid_t
    private let map: MemoryMap
    private let lines = LineTool()

    init(process: pid_t, map: MemoryMap) {
        self.process = process
        self.map = map
    }

    /// What is mapped of one file: read through the process's own root, since it may be a
    /// container.
    private struct Object {
        var mapping: StackProfile.Mapping
        var table: FunctionTable?
        /// The file that names functions best: a debug file, or the file itself.
        var debugFile: FilePath
        var debugTable: FunctionTable?
    }

    /// A profile of the sites of `samples`.
    func profile(of samples: SampleTable) -> StackProfile {
        var profile = StackProfile()
        profile.rate = samples.rate
        var objects: [String: Int] = [:]
        var opened: [Object] = []
        // Addresses of each object, in the object's own terms, and where they stand in the profile.
        var wanted: [Int: [UInt64: [Int]]] = [:]
        var locations: [UInt64: Int] = [:]
        for (_, site) in samples.sites.sorted(by: { $0.key < $1.key }) {
            let stack = site.frames.map { frame -> Int in
                if let known = locations[frame] { return known }
                // A return address belongs to the call in front of it.
                let address = frame &- 1
                var location = StackProfile.Location(address: address, mapping: -1, functions: [])
                if let mapping = map.mapping(of: address) {
                    if !mapping.path.hasPrefix("/") {
                        location.functions = [
                            .init(name: mapping.path.isEmpty ? "(generated code)" : mapping.path)
                        ]
                    } else {
                        let number = objects[mapping.file] ?? opened.count
                        if objects[mapping.file] == nil {
                            objects[mapping.file] = number
                            opened.append(open(mapping))
                        }
                        location.mapping = number
                        let offset = address - mapping.start + mapping.offset
                        let own = opened[number].table?.address(ofOffset: offset) ?? offset
                        wanted[number, default: [:]][own, default: []].append(
                            profile.locations.count)
                    }
                }
                locations[frame] = profile.locations.count
                profile.locations.append(location)
                return profile.locations.count - 1
            }
            profile.stacks.append(
                StackProfile.Stack(
                    locations: stack,
                    values: StackProfile.Values(
                        totalBlocks: site.totalBlocks, totalBytes: site.totalBytes,
                        liveBlocks: site.liveBlocks,
                        liveBytes: site.liveBytes)))
        }
        for (number, addresses) in wanted { name(addresses, in: opened[number], &profile) }
        for position in profile.locations.indices
        where profile.locations[position].functions.isEmpty {
            let address = String(profile.locations[position].address, radix: 16)
            profile.locations[position].functions = [.init(name: "0x\(address)")]
        }
        profile.mappings = opened.map(\.mapping)
        return profile
    }

    private func name(
        _ addresses: [UInt64: [Int]], in object: Object, _ profile: inout StackProfile
    ) {
        let table = object.debugTable ?? object.table
        var known: [UInt64: [StackProfile.Function]] = [:]
        if let lines, table?.hasLines ?? false {
            known = lines.functions(at: addresses.keys.sorted(), in: object.debugFile)
        }
        let base =
            object.mapping.path.split(separator: "/").last.map(String.init) ?? object.mapping.path
        for (address, positions) in addresses {
            let symbol = table?.name(at: address) ?? object.table?.name(at: address)
            let functions =
                known[address]
                ?? [
                    .init(
                        name: symbol.map(Demangler.name)
                            ?? "\(base)+0x\(String(address, radix: 16))")
                ]
            for position in positions { profile.locations[position].functions = functions }
        }
    }

    private func open(_ mapping: MemoryMap.Mapping) -> Object {
        let whole = map.mappings.filter { $0.file == mapping.file }
        let file = Self.file(of: mapping, process: process)
        let table = file.flatMap { try? FunctionTable(of: $0) }
        var object = Object(
            mapping: StackProfile.Mapping(
                start: whole.map(\.start).min() ?? mapping.start,
                end: whole.map(\.end).max() ?? mapping.end, offset: 0,
                path: mapping.path, buildID: table?.buildID ?? ""), table: table,
            debugFile: file ?? FilePath(mapping.path))
        if let table, !table.isFull || !table.hasLines, table.buildID.count > 2 {
            let name = "\(table.buildID.prefix(2))/\(table.buildID.dropFirst(2)).debug"
            for root in ["/proc/\(process)/root", ""] {
                let candidate = FilePath("\(root)/usr/lib/debug/.build-id/\(name)")
                guard let found = try? FunctionTable(of: candidate), found.buildID == table.buildID
                else { continue }
                object.debugFile = candidate
                object.debugTable = found
                break
            }
        }
        return object
    }

    /// A path under which the mapped file itself can be opened, whatever has its name now. Nil
    /// where there is none.
    private static func file(of mapping: MemoryMap.Mapping, process: pid_t) -> FilePath? {
        let range = "\(String(mapping.start, radix: 16))-\(String(mapping.end, radix: 16))"
        let paths = [
            "/proc/\(process)/map_files/\(range)", "/proc/\(process)/root\(mapping.path)",
            mapping.path,
        ]
        let wanted = mapping.file.split(separator: " ").last.flatMap { UInt64($0) }
        for path in paths.map({ FilePath($0) }) {
            var status = stat()
            guard path.withPlatformString({ stat($0, &status) }) == 0,
                UInt64(status.st_ino) == wanted,
                path.withPlatformString({ access($0, R_OK) }) == 0
            else { continue }
            return path
        }
        return nil
    }
}
