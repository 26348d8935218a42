import CPercolate

/// The number of CPU numbers that this machine can ever have: one above the highest possible one,
/// online or not.
///
/// Read from sysfs, whose list ends in the highest number; where that cannot be read, the size of
/// the kernel's affinity masks is an upper bound. Never above the number of public gates.
func possibleCPUCount() -> Int {
    let limit = Int(PERCOLATE_GATES_MAX)
    if let highest = lastNumber(of: "/sys/devices/system/cpu/possible") { return min(highest &+ 1, limit) }
    return min(Affinity.current().numbers, limit)
}

/// The number that the text of a file ends in, before its newline.
private func lastNumber(of path: StaticString) -> Int? {
    var text = InlineArray<256, UInt8>(repeating: 0)
    let count = SmallFile.read(path, into: &text)
    guard count > 0 else { return nil }
    var number = 0
    var scale = 1
    for position in stride(from: count &- 1, through: 0, by: -1) {
        let byte = text[position]
        if byte == UInt8(ascii: "\n") { continue }
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), scale <= 1_000_000 else { break }
        number &+= Int(byte &- UInt8(ascii: "0")) &* scale
        scale &*= 10
    }
    return scale > 1 ? number : nil
}
