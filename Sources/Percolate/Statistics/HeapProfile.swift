import CPercolate

/// Where the heap's memory goes: an estimate from sampled blocks, by the stack that allocated them.
///
/// A sample is taken at random, once in so many allocated bytes in the mean, and stands for the
/// blocks like it that were not sampled. Every sum of `liveBytes`, `totalBytes` and the like, over
/// a site, some sites or all, is unbiased; with n samples it is off by one part in the square root
/// of n or so. While sampling is off it costs nothing.
///
///     try HeapProfile.start()
///     ...
///     for site in HeapProfile.snapshot().sites.sorted(by: { $0.liveBytes > $1.liveBytes }).prefix(10) {
///         print(site.liveBytes, site.frames.map { String($0, radix: 16) })
///     }
///     HeapProfile.stop()
///
/// All of it may be called from any thread, not from signal handlers. The heap is the process's
/// (``ProcessHeap``): where that serves `malloc`, every Swift object is in the profile.
public struct HeapProfile: Sendable {
    /// Why sampling did not start.
    public enum StartError: Error, Equatable, Sendable, CustomStringConvertible {
        /// The kernel refused memory or addresses for the tables of samples.
        case outOfMemory
        /// The mean number of bytes was below 1.
        case invalidMean(Int)

        public var description: String {
            switch self {
            case .outOfMemory: "no memory for the tables of samples"
            case .invalidMean(let bytes): "\(bytes) is no mean number of bytes between samples: give 1 or more"
            }
        }
    }

    /// One stack that allocated samples, and what they stand for.
    public struct Site: Sendable {
        /// Return addresses, the innermost first; the allocator's own frames are left out. The
        /// instruction of the call lies before each. Empty for all stacks that could not be read,
        /// or had no room.
        public var frames: [UInt]
        /// Bytes that were asked for here and are not freed, in the estimate.
        public var liveBytes: Double
        /// Blocks that were allocated here and are not freed, in the estimate.
        public var liveBlocks: Double
        /// Bytes that were asked for here since the process began, while sampling was on, in the
        /// estimate.
        public var totalBytes: Double
        /// Blocks that were allocated here since the process began, while sampling was on, in the
        /// estimate.
        public var totalBlocks: Double
        /// Samples that the live figures are from.
        public var liveSamples: Int
        /// Samples that the total figures are from.
        public var totalSamples: Int
    }

    /// One sampled block that is not freed.
    public struct Sample: Sendable {
        /// Where the block is.
        public var address: UInt
        /// Bytes that were asked for.
        public var byteCount: Int
        /// How many blocks like it the sample stands for.
        public var blocks: Double
        /// When it was allocated, in nanoseconds of CLOCK_MONOTONIC (clock_gettime(2)).
        public var time: UInt64
        /// The kernel's number of the thread that allocated it (gettid(2)).
        public var thread: Int
        /// The thread's name at that time (pthread_getname_np(3)).
        public var threadName: String
        /// Which of the profile's `sites` allocated it.
        public var site: Int
    }

    /// The mean number of bytes that are used where none is given: 512 KiB.
    public static let defaultMeanByteCount = Int(PERCOLATE_SAMPLE_RATE)

    /// The mean number of bytes between samples when the profile was made; 0 where sampling was
    /// off.
    public var meanByteCount: Int
    /// Every stack that allocated a sample since the process began.
    public var sites: [Site]
    /// The sampled blocks that are not freed.
    public var samples: [Sample]
    /// Samples that had no room in the tables, and are in no figure.
    public var lostSamples: Int

    /// Starts sampling, or goes on with another mean. Figures that exist are kept.
    ///
    /// - Parameter meanByteCount: the mean number of bytes between samples; 1 samples every block,
    ///   which is slow.
    public static func start(meanByteCount: Int = defaultMeanByteCount) throws(StartError) {
        guard meanByteCount >= 1 else { throw .invalidMean(meanByteCount) }
        let table = unsafe HeapAccess.current.table
        guard unsafe table.pointee.set_sample_rate(UInt64(meanByteCount)) else { throw .outOfMemory }
    }

    /// Stops sampling. What was sampled stays in the profile until it is freed, and in its totals.
    public static func stop() {
        let table = unsafe HeapAccess.current.table
        _ = unsafe table.pointee.set_sample_rate(0)
    }

    /// The profile as it is now. Other threads may go on meanwhile: each site and each sample is
    /// whole, and was true at some moment.
    public static func snapshot() -> HeapProfile {
        let reader = SampleReader()
        // Records are read before sites: a record that is seen has its site.
        let samples = reader.samples()
        return HeapProfile(
            meanByteCount: reader.meanByteCount, sites: reader.sites(), samples: samples,
            lostSamples: reader.lostSamples)
    }
}

/// Reads the tables of samples of this process, by the rules of percolate/samples.h.
@safe
private struct SampleReader {
    private let samplesTable: UnsafePointer<percolate_samples>

    /// How often a record is read again that was being changed.
    private static let attempts = 1000

    init() { unsafe samplesTable = HeapAccess.current.table.pointee.samples }

    var meanByteCount: Int { unsafe Int(HeapAccess.current.table.pointee.sample_rate()) }
    var lostSamples: Int { unsafe Int(samplesTable.pointee.lost_samples) }

    func samples() -> [HeapProfile.Sample] {
        var result: [HeapProfile.Sample] = []
        let count = unsafe samplesTable.pointee.record_count
        for number in 0..<count {
            let address = unsafe samplesTable.pointee.records + number * samplesTable.pointee.record_stride
            guard let record = Self.whole(percolate_sample.self, at: address),
                record.state == PERCOLATE_SAMPLE_LIVE.rawValue, record.blocks > 0
            else { continue }
            let name = unsafe withUnsafeBytes(of: record.thread_name) { unsafe $0.prefix { $0 != 0 }.map { $0 } }
            result.append(
                HeapProfile.Sample(
                    address: UInt(record.address), byteCount: Int(record.size), blocks: record.blocks,
                    time: record.time, thread: Int(record.thread), threadName: String(decoding: name, as: UTF8.self),
                    site: Int(record.site)))
        }
        return result
    }

    func sites() -> [HeapProfile.Site] {
        let count = unsafe samplesTable.pointee.site_count
        return (0..<count).map { number in
            let address = unsafe samplesTable.pointee.sites + number * samplesTable.pointee.site_stride
            let site = Self.whole(percolate_sample_site.self, at: address)
            guard let site else {
                return HeapProfile.Site(
                    frames: [], liveBytes: 0, liveBlocks: 0, totalBytes: 0, totalBlocks: 0, liveSamples: 0,
                    totalSamples: 0)
            }
            return HeapProfile.Site(
                frames: frames(of: site), liveBytes: site.live_bytes, liveBlocks: site.live_blocks,
                totalBytes: site.total_bytes, totalBlocks: site.total_blocks, liveSamples: Int(site.live_samples),
                totalSamples: Int(site.total_samples))
        }
    }

    /// Frames of a site that can be seen never change.
    private func frames(of site: percolate_sample_site) -> [UInt] {
        let table = unsafe UnsafePointer<UInt64>(bitPattern: UInt(samplesTable.pointee.frames))
        guard let table = unsafe table else { return [] }
        return (0..<Int(site.depth)).map { unsafe UInt(table[Int(site.first_frame) + $0]) }
    }

    /// A copy that nobody changed meanwhile; nil where its writer does not come to an end.
    ///
    /// The first four bytes of a record are its sequence.
    private static func whole<Record>(_ type: Record.Type, at address: UInt64) -> Record? {
        guard let record = unsafe UnsafeRawPointer(bitPattern: UInt(address)) else { return nil }
        for _ in 0..<attempts {
            let before = percolate_operand_load(address, 4)
            guard before & 1 == 0 else { continue }
            let copy = unsafe record.load(as: Record.self)
            percolate_order_loads()
            let after = percolate_operand_load(address, 4)
            if before == after { return copy }
        }
        return nil
    }
}
