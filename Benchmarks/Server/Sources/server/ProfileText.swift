import Percolate

/// A heap profile for people: the sites that hold most, each with its stack. A frame is the object
/// and the address in it: `addr2line -f -e OBJECT ADDRESS` names its function and line.
///
/// `percolate profile PID` shows the same of a process that has no such page, with names and lines.
struct ProfileText: CustomStringConvertible {
    let description: String

    init(_ profile: HeapProfile, sites count: Int) throws {
        let objects = try LoadedObjects()
        let sites = profile.sites.filter { $0.liveBytes > 0 }.sorted { $0.liveBytes > $1.liveBytes }
        var text = "estimated from \(profile.samples.count) samples, \(sites.count) sites\n"
        for site in sites.prefix(count) {
            text += "\n\(Int(site.liveBytes)) bytes in \(Int(site.liveBlocks)) blocks\n"
            // The instruction of the call lies before the return address.
            for frame in site.frames { text += "    \(objects.name(of: frame - 1))\n" }
        }
        description = text
    }
}
