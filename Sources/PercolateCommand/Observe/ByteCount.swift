/// A number of bytes for people: three digits or four, and a unit of powers of 1024.
struct ByteCount: CustomStringConvertible {
    let bytes: Double

    init(_ bytes: Int) { self.bytes = Double(bytes) }
    init(_ bytes: Double) { self.bytes = bytes }

    var description: String {
        var value = abs(bytes)
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let sign = bytes < 0 ? "-" : ""
        guard unit > 0, value < 100 else { return "\(sign)\(Int(value.rounded())) \(units[unit])" }
        let tenths = Int((value * 10).rounded())
        return "\(sign)\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
