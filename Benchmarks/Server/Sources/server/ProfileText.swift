import Glibc
import Percolate

/// A heap profile for people: the sites that hold most, each with its stack. Functions that the
/// dynamic linker knows have their names, the others the object and the address in it, for
/// `addr2line -f -e OBJECT ADDRESS`.
///
/// `percolate profile PID` shows the same of a process that has no such page, with names and lines
/// of the sources.
struct ProfileText: CustomStringConvertible {
    let description: String

    init(_ profile: HeapProfile, sites count: Int) {
        let sites = profile.sites.filter { $0.liveBytes > 0 }.sorted { $0.liveBytes > $1.liveBytes }
        var text = "estimated from \(profile.samples.count) samples, \(sites.count) sites\n"
        for site in sites.prefix(count) {
            text += "\n\(Int(site.liveBytes)) bytes in \(Int(site.liveBlocks)) blocks\n"
            for frame in site.frames { text += "    \(Self.name(frame))\n" }
        }
        description = text
    }

    /// The function as its symbol, or the object and the address in it where there is none.
    private static func name(_ frame: UInt) -> String {
        var information = Dl_info()
        // The instruction of the call lies before the return address.
        guard let address = UnsafeRawPointer(bitPattern: frame - 1),
            dladdr(address, &information) != 0
        else {
            return "0x" + String(frame, radix: 16)
        }
        if let symbol = information.dli_sname { return String(cString: symbol) }
        let object = information.dli_fname.map { String(cString: $0) } ?? "?"
        return "\(object)+0x\(String(frame - UInt(bitPattern: information.dli_fbase), radix: 16))"
    }
}
