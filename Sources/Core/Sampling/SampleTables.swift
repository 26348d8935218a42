import CPercolate

/// The memory of sampling: one reservation, made when sampling is first switched on, of which what
/// is used becomes usable step by step.
///
/// Readers outside the process know its tables by `percolate_samples` (percolate/samples.h). All of
/// it is guarded by `Samples.lock`, but the rates (`Countdown`) and the rules of frames
/// (`FrameRuleCache`).
enum SampleTables {
    static var recordLimit: Int { 1 << 22 }
    static var siteLimit: Int { 1 << 16 }
    static var frameLimit: Int { 1 << 21 }
    /// Lists of records by address, and of sites by stack.
    static var recordBuckets: Int { 1 << 16 }
    static var siteBuckets: Int { 1 << 14 }

    struct State {
        var fixed: Reservation
        var records: Reservation
        var sites: Reservation
        var frames: Reservation
        var recordLists: Table<UInt32>
        var siteLists: Table<UInt32>
    }

    private static var state: UnsafeMutablePointer<State> { pinned(&samplingState.pointee.tables) }

    static var recordLists: Table<UInt32> { state.pointee.recordLists }
    static var siteLists: Table<UInt32> { state.pointee.siteLists }

    static func record(_ number: UInt32) -> UnsafeMutablePointer<percolate_sample> {
        Table(address: state.pointee.records.address)[Int(number)]
    }

    static func site(_ number: UInt32) -> UnsafeMutablePointer<percolate_sample_site> {
        Table(address: state.pointee.sites.address)[Int(number)]
    }

    static func frame(_ position: UInt64) -> UnsafeMutablePointer<UInt64> {
        pointer(state.pointee.frames.address &+ UInt(position) &* 8)
    }

    /// Places the tables, once. False when the kernel refuses the addresses or the first pages.
    static func place() -> Bool {
        guard state.pointee.records.address == 0 else { return true }
        let page = Reservation.pageSize
        let rates = roundUp(UInt(SizeClass.count &* MemoryLayout<Countdown.Rate>.stride), page)
        let lists = UInt(recordBuckets &+ siteBuckets) &* 4
        let fixedSize = roundUp(rates &+ FrameRuleCache.bytes &+ lists, page)
        let siteSize = roundUp(UInt(siteLimit &* MemoryLayout<percolate_sample_site>.stride), page)
        let frameSize = roundUp(UInt(frameLimit) &* 8, page)
        let recordSize = roundUp(UInt(recordLimit &* MemoryLayout<percolate_sample>.stride), page)
        guard let memory = Reservation.reserve(fixedSize &+ siteSize &+ frameSize &+ recordSize) else { return false }
        _ = percolate_madvise(memory.address, Int(memory.size), MADV_NOHUGEPAGE)
        var fixed = Reservation(address: memory.address, size: fixedSize)
        var sites = Reservation(address: fixed.address &+ fixedSize, size: siteSize)
        let frames = Reservation(address: sites.address &+ siteSize, size: frameSize)
        let records = Reservation(address: frames.address &+ frameSize, size: recordSize)
        guard fixed.commit(fixedSize), sites.commit(page) else {
            _ = percolate_munmap(memory.address, Int(memory.size))
            return false
        }
        state.pointee.fixed = fixed
        state.pointee.sites = sites
        state.pointee.frames = frames
        Countdown.state.pointee.rates = Table(address: fixed.address)
        let rules = fixed.address &+ rates
        samplingState.pointee.frameRules = rules
        state.pointee.recordLists = Table(address: rules &+ FrameRuleCache.bytes)
        state.pointee.siteLists = Table(address: recordLists.address &+ UInt(recordBuckets) &* 4)
        sampled.sites = UInt64(sites.address)
        sampled.site_count = 1
        sampled.frames = UInt64(frames.address)
        sampled.records = UInt64(records.address)
        sampled.record_count = 1
        state.pointee.records = records
        return true
    }

    /// The number of a record that was never used; 0 when there is no room.
    static func makeRecord() -> UInt32 {
        let number = sampled.record_count
        guard number < UInt64(recordLimit),
            state.pointee.records.commit(
                UInt(number &+ 1) &* UInt(MemoryLayout<percolate_sample>.stride))
        else { return 0 }
        sampled.record_count = number &+ 1
        return UInt32(number)
    }

    /// The number of a new site with room for `depth` frames; 0 when there is none.
    static func makeSite(depth: Int) -> UInt32 {
        let number = sampled.site_count
        let first = sampled.frame_count
        guard number < UInt64(siteLimit), first &+ UInt64(depth) <= UInt64(frameLimit),
            state.pointee.sites.commit(
                UInt(number &+ 1) &* UInt(MemoryLayout<percolate_sample_site>.stride)),
            state.pointee.frames.commit(UInt(first &+ UInt64(depth)) &* 8)
        else { return 0 }
        site(UInt32(number)).pointee.first_frame = first
        return UInt32(number)
    }

    static func updateSize() {
        let tables = state.pointee
        let bytes =
            tables.fixed.committed &+ tables.records.committed &+ tables.sites.committed
            &+ tables.frames.committed
        sampled.table_bytes = UInt64(bytes)
    }
}
