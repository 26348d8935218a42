import CPercolate
import Glibc
import SystemPackage

/// The sampled blocks of a process, as one reading found them (<percolate/samples.h>).
struct SampleTable {
    struct Site {
        /// Return addresses, the innermost first.
        var frames: [UInt64]
        var liveBlocks: Double
        var liveBytes: Double
        var totalBlocks: Double
        var totalBytes: Double
    }

    /// By the number of the site: those of one process keep theirs.
    var sites: [Int: Site] = [:]
    /// Mean number of bytes between samples.
    var rate: UInt64 = 0

    /// More than any table has: a reading of memory that is no table ends here.
    private static let mostSites: UInt64 = 1 << 22
    private static let mostFrames: UInt64 = 1 << 26

    /// No sites.
    static let none = SampleTable()

    private init() {}

    /// Reads the table at `address` of a process.
    ///
    /// Sites are read before frames, whose counts only grow: a site's frames are there once the
    /// site is. The figures of a site belong together where `sequence` is even and the same before
    /// and after: a site that a thread changes now is read again, and where its writer stays in the
    /// middle, taken as it is: its bytes may then be off by one sample.
    init(at address: UInt64, in memory: RemoteMemory) throws(Errno) {
        let table = try memory.value(percolate_samples.self, at: address)
        rate = table.rate
        guard table.sites != 0, table.site_count > 0, table.site_count < Self.mostSites,
            table.site_stride >= MemoryLayout<percolate_sample_site>.size,
            table.frame_count < Self.mostFrames
        else { return }
        let stride = Int(table.site_stride)
        let bytes = try memory.bytes(Int(table.site_count) * stride, at: table.sites)
        var found: [percolate_sample_site] = []
        for number in 0..<Int(table.site_count) {
            var site = bytes.withUnsafeBytes {
                $0.loadUnaligned(fromByteOffset: number * stride, as: percolate_sample_site.self)
            }
            var tries = 0
            while tries < 20 {
                let place = table.sites + UInt64(number * stride)
                // Once even, a second reading that agrees was not in the middle of a change.
                let again = try memory.value(percolate_sample_site.self, at: place)
                let isWhole = site.sequence & 1 == 0 && again.sequence == site.sequence
                site = again
                if isWhole { break }
                tries += 1
            }
            found.append(site)
        }
        let frameBytes = try memory.bytes(
            Int(table.frame_count) * 8, at: table.frame_count > 0 ? table.frames : 0)
        for (number, site) in found.enumerated() where site.total_samples > 0 {
            let first = Int(site.first_frame)
            guard first + Int(site.depth) <= Int(table.frame_count) else { continue }
            let frames = frameBytes.withUnsafeBytes { bytes in
                (first..<(first + Int(site.depth))).map {
                    bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)
                }
            }
            sites[number] = Site(
                frames: frames, liveBlocks: site.live_blocks, liveBytes: site.live_bytes,
                totalBlocks: site.total_blocks,
                totalBytes: site.total_bytes)
        }
    }

    /// What was allocated between `earlier` and this reading, and what is live now.
    func since(_ earlier: SampleTable) -> SampleTable {
        var result = self
        for (number, before) in earlier.sites {
            result.sites[number]?.totalBlocks -= before.totalBlocks
            result.sites[number]?.totalBytes -= before.totalBytes
        }
        return result
    }
}
