import CPercolate

/// What the memory control group of the process allows: the kernel kills a process of a group that needs more
/// (cgroups(7); memory.max of version 2, memory.limit_in_bytes of version 1).
///
/// The limits of all groups from the process's own up to the root count, as far as they can be seen: in a container the
/// own group is often mounted as the root.
struct MemoryGroup {
    /// Bytes that the tightest group allows. `Int.max` where there is no limit.
    private(set) var limit = Int.max
    /// Bytes of anonymous memory in the tightest group, of all its processes.
    private(set) var used = 0

    private enum Version { case one, two }

    /// Reads the limits; nil where the process is in no group with a memory controller.
    ///
    /// - Parameter root: the folder in which /proc and /sys are, for tests; nil for the system's own.
    static func read(below root: UnsafePointer<CChar>? = nil) -> MemoryGroup? {
        var text = InlineArray<2048, UInt8>(repeating: 0)
        var path = start(root)
        path.append("/proc/self/cgroup")
        path.append(byte: 0)
        let count = path.withCString { SmallFile.read($0, into: &text) }
        var start = 0
        var result: MemoryGroup?
        while start < count {
            var end = start
            while end < count, text[end] != UInt8(ascii: "\n") { end &+= 1 }
            if let line = memoryLine(text, start..<end), let group = read(root, line.version, text, line.path) {
                let isTighter = group.limit < (result ?? group).limit
                if result == nil || isTighter { result = group }
            }
            start = end &+ 1
        }
        return result
    }

    /// The version and the path in a line `number:controllers:path` of version 1's memory controller, or of version 2, which
    /// has number 0 and names no controller.
    private static func memoryLine(
        _ text: InlineArray<2048, UInt8>, _ line: Range<Int>
    ) -> (version: Version, path: Range<Int>)? {
        var first = line.lowerBound
        while first < line.upperBound, text[first] != UInt8(ascii: ":") { first &+= 1 }
        var second = first &+ 1
        while second < line.upperBound, text[second] != UInt8(ascii: ":") { second &+= 1 }
        guard second < line.upperBound else { return nil }
        let path = (second &+ 1)..<line.upperBound
        if second == first &+ 1 { return (.two, path) }
        let name: StaticString = "memory"
        guard second &- first &- 1 == name.utf8CodeUnitCount else { return nil }
        for index in 0..<name.utf8CodeUnitCount where text[first &+ 1 &+ index] != name.utf8Start[index] { return nil }
        return (.one, path)
    }

    private static func start(_ root: UnsafePointer<CChar>?) -> TextPage {
        var path = TextPage()
        if let root { path.append(cString: root, limit: 1024) }
        return path
    }

    private static func read(
        _ root: UnsafePointer<CChar>?, _ version: Version, _ text: InlineArray<2048, UInt8>, _ group: Range<Int>
    ) -> MemoryGroup? {
        var path = start(root)
        path.append("/sys/fs/cgroup")
        if version == .one { path.append("/memory") }
        let rootLength = path.count
        for index in group { path.append(byte: text[index]) }
        var length = path.count
        var result: MemoryGroup?
        // From the own group up to the root.
        while true {
            if length > rootLength, lastByte(&path, length) == UInt8(ascii: "/") {
                length &-= 1
                continue
            }
            if let limit = number(&path, length, version == .one ? "/memory.limit_in_bytes" : "/memory.max") {
                if result == nil { result = MemoryGroup() }
                if limit < (result?.limit ?? 0) {
                    result?.limit = limit
                    result?.used = anonymous(&path, length, version)
                }
            }
            if length <= rootLength { return result }
            while length > rootLength, lastByte(&path, length) != UInt8(ascii: "/") { length &-= 1 }
        }
    }

    private static func lastByte(_ path: inout TextPage, _ length: Int) -> UInt8 {
        path.withCString { UInt8(bitPattern: $0[length &- 1]) }
    }

    private static func file(_ path: inout TextPage, _ length: Int, _ name: StaticString) {
        path.truncate(to: length)
        path.append(name)
        path.append(byte: 0)
    }

    /// The number that a file of the group begins with. `Int.max` for the word `max` and for what exceeds every memory;
    /// nil where there is no such file.
    private static func number(_ path: inout TextPage, _ length: Int, _ name: StaticString) -> Int? {
        file(&path, length, name)
        var text = InlineArray<32, UInt8>(repeating: 0)
        let count = path.withCString { SmallFile.read($0, into: &text) }
        guard count > 0 else { return nil }
        let value = digits(text, from: 0) ?? Int.max
        return value > 1 << 60 ? Int.max : value
    }

    /// Bytes of anonymous memory in the group.
    private static func anonymous(_ path: inout TextPage, _ length: Int, _ version: Version) -> Int {
        file(&path, length, "/memory.stat")
        var text = InlineArray<2048, UInt8>(repeating: 0)
        let count = path.withCString { SmallFile.read($0, into: &text) }
        let key: StaticString = version == .one ? "total_rss " : "anon "
        var start = 0
        while start < count {
            var matched = 0
            while matched < key.utf8CodeUnitCount, start &+ matched < count,
                text[start &+ matched] == key.utf8Start[matched]
            {
                matched &+= 1
            }
            if matched == key.utf8CodeUnitCount { return digits(text, from: start &+ matched) ?? 0 }
            while start < count, text[start] != UInt8(ascii: "\n") { start &+= 1 }
            start &+= 1
        }
        return 0
    }

    private static func digits<let size: Int>(_ text: InlineArray<size, UInt8>, from start: Int) -> Int? {
        var value = 0
        var index = start
        while index < size, text[index] >= UInt8(ascii: "0"), text[index] <= UInt8(ascii: "9") {
            guard value < Int.max / 10 &- 10 else { return Int.max }
            value = value &* 10 &+ Int(text[index] &- UInt8(ascii: "0"))
            index &+= 1
        }
        return index > start ? value : nil
    }
}
