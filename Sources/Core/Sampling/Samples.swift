import CPercolate

/// The records of sampled and guarded blocks, by address.
///
/// One lock guards records, lists and sites. It is taken last; nothing is called under it but the
/// kernel, for more pages of the tables. A signal handler that interrupted its owner gets no
/// sample, and its frees of samples are deferred.
enum Samples {
    static var lock: Lock { Lock(at: addressOf(&platformState.pointee.shared.sampling_lock.word)) }

    private static func list(of address: UInt) -> UnsafeMutablePointer<UInt32> {
        SampleTables.recordLists[Int((UInt64(address &>> 3) &* 0x9e37_79b9_7f4a_7c15) &>> 48)]
    }

    private static func sequence(_ number: UInt32) -> UnsafeMutablePointer<UInt32> {
        pointer(UInt(bitPattern: SampleTables.record(number)))
    }

    /// Records a block that the calling thread allocated just now.
    ///
    /// - Parameter blocks: how many blocks it stands for; 0 for one that is guarded only.
    /// - Returns: the record's number; 0 when there is no room, or the thread has interrupted a
    ///   change of the tables.
    static func add(
        _ address: UInt, size: Int, blocks: Double, isGuarded: Bool, stack: UnsafeMutablePointer<UInt64>, depth: Int
    ) -> UInt32 {
        var fresh = percolate_sample()
        fresh.time = percolate_nanoseconds()
        fresh.thread = Int32(bitPattern: percolate_thread_number())
        // A process that restricts its system calls may not be allowed this one.
        if percolate_is_restricted() == 0 {
            withUnsafeMutableBytes(of: &fresh.thread_name) { name in
                percolate_thread_name(UnsafeMutablePointer(bitPattern: UInt(bitPattern: name.baseAddress)))
            }
        }
        guard lock.acquire() == .entered else { return 0 }
        defer { lock.release() }
        endDeferred()
        var number = samplingState.pointee.firstFreeSample
        if number != 0 {
            samplingState.pointee.firstFreeSample = SampleTables.record(number).pointee.next
        } else {
            number = SampleTables.makeRecord()
            guard number != 0 else {
                sampled.lost_samples &+= 1
                return 0
            }
        }
        fresh.site = SampleSites.find(stack, depth: depth)
        fresh.address = UInt64(address)
        fresh.size = UInt64(size)
        fresh.blocks = blocks
        fresh.guarded = isGuarded ? 1 : 0
        fresh.state = PERCOLATE_SAMPLE_LIVE.rawValue
        let list = list(of: address)
        fresh.next = list.pointee
        let record = SampleTables.record(number)
        changing(sequence(number))
        fresh.sequence = record.pointee.sequence
        record.pointee = fresh
        changing(sequence(number))
        list.pointee = number
        if blocks > 0 { SampleSites.add(fresh.site, blocks: blocks, size: UInt64(size)) }
        SampleTables.updateSize()
        return number
    }

    /// What the link of a record says that somebody has taken out of its list.
    private static var taken: UInt32 { .max }

    enum Finding {
        case record(UInt32)
        /// No sample begins there.
        case none
        /// The calling thread has interrupted a change of the tables.
        case refused
    }

    /// The record of the block at `address`, and the one in front of it in its list; 0 for none.
    /// The lock is held.
    private static func locate(_ address: UInt) -> (number: UInt32, previous: UInt32) {
        var previous: UInt32 = 0
        var number = list(of: address).pointee
        while number != 0 {
            let record = SampleTables.record(number)
            if record.pointee.address == UInt64(address) { break }
            previous = number
            number = record.pointee.next
        }
        return (number, previous)
    }

    /// Takes the record of the block at `address` out of its list; 0 where there is none. The lock
    /// is held.
    private static func unlink(_ address: UInt) -> UInt32 {
        let (number, previous) = locate(address)
        guard number != 0 else { return 0 }
        let next = SampleTables.record(number).pointee.next
        if previous == 0 {
            list(of: address).pointee = next
        } else {
            SampleTables.record(previous).pointee.next = next
        }
        return number
    }

    /// Takes the record of the block at `address` out of its list, where `end` or `putBack` must
    /// follow.
    static func take(_ address: UInt) -> Finding {
        guard SampleTables.recordLists.address != 0 else { return .none }
        guard lock.acquire() == .entered else { return .refused }
        defer { lock.release() }
        let number = unlink(address)
        guard number != 0 else { return .none }
        SampleTables.record(number).pointee.next = taken
        return .record(number)
    }

    /// A copy of the record of the block at `address`; nil where none is, or where the calling
    /// thread has interrupted a change of the tables.
    static func find(_ address: UInt) -> percolate_sample? {
        guard SampleTables.recordLists.address != 0, lock.acquire() == .entered else { return nil }
        defer { lock.release() }
        let number = locate(address).number
        return number != 0 ? SampleTables.record(number).pointee : nil
    }

    /// Puts a record that was taken into its list again. Where the lock refuses, the block is a
    /// sample no more.
    static func putBack(_ number: UInt32) {
        guard lock.acquire() == .entered else { return endLater(number) }
        defer { lock.release() }
        let record = SampleTables.record(number)
        let list = list(of: UInt(record.pointee.address))
        record.pointee.next = list.pointee
        list.pointee = number
    }

    /// The block of a record that was taken is freed: it counts no more, and the record serves
    /// another one.
    static func end(_ number: UInt32) {
        guard lock.acquire() == .entered else { return endLater(number) }
        defer { lock.release() }
        endDeferred()
        reuse(number)
    }

    /// As `end`, for a caller whom the lock refused.
    private static func endLater(_ number: UInt32) {
        let record = SampleTables.record(number)
        samplingState.pointee.endedSamples.add(number, linkedAt: pinned(&record.pointee.next))
    }

    /// Ends what `endLater` left. The lock is held.
    private static func endDeferred() {
        guard !samplingState.pointee.endedSamples.isEmpty else { return }
        var number = samplingState.pointee.endedSamples.takeAll()
        while number != 0 {
            let next = SampleTables.record(number).pointee.next
            reuse(number)
            number = next
        }
    }

    /// The same for the block at `address`, whose record nobody has taken, if there is one. False
    /// where the calling thread has interrupted a change of the tables.
    static func end(at address: UInt) -> Bool {
        guard SampleTables.recordLists.address != 0 else { return true }
        guard lock.acquire() == .entered else { return false }
        defer { lock.release() }
        let number = unlink(address)
        if number != 0 { reuse(number) }
        return true
    }

    /// The lock is held.
    private static func reuse(_ number: UInt32) {
        let record = SampleTables.record(number)
        if record.pointee.state == PERCOLATE_SAMPLE_LIVE.rawValue, record.pointee.blocks > 0 {
            SampleSites.remove(record.pointee.site, blocks: record.pointee.blocks, size: record.pointee.size)
        }
        changing(sequence(number))
        record.pointee.state = PERCOLATE_SAMPLE_UNUSED.rawValue
        changing(sequence(number))
        record.pointee.next = samplingState.pointee.firstFreeSample
        samplingState.pointee.firstFreeSample = number
    }

    /// The block of a record that was taken is freed, and the record stays, for the report of a
    /// later use: of a guarded block, and of one that waits in quarantine.
    static func markFreed(_ number: UInt32, stack: UnsafeMutablePointer<UInt64>, depth: Int) {
        guard lock.acquire() == .entered else { return }
        defer { lock.release() }
        setFreed(number, stack: stack, depth: depth)
    }

    /// The same for the block at `address`, whose record nobody has taken. Where the calling thread
    /// has interrupted a change of the tables, the record stays as it is.
    static func markFreed(at address: UInt, stack: UnsafeMutablePointer<UInt64>, depth: Int) {
        guard lock.acquire() == .entered else { return }
        defer { lock.release() }
        let number = locate(address).number
        if number != 0 { setFreed(number, stack: stack, depth: depth) }
    }

    /// The lock is held.
    private static func setFreed(_ number: UInt32, stack: UnsafeMutablePointer<UInt64>, depth: Int) {
        let time = percolate_nanoseconds()
        let thread = Int32(bitPattern: percolate_thread_number())
        let record = SampleTables.record(number)
        if record.pointee.blocks > 0 {
            SampleSites.remove(record.pointee.site, blocks: record.pointee.blocks, size: record.pointee.size)
        }
        let site = SampleSites.find(stack, depth: depth)
        changing(sequence(number))
        record.pointee.state = PERCOLATE_SAMPLE_FREED.rawValue
        record.pointee.freeing_site = site
        record.pointee.freeing_time = time
        record.pointee.freeing_thread = thread
        changing(sequence(number))
    }

    /// Live samples stand for nothing from now on, as if they were freed. Totals stay.
    static func reset() {
        guard SampleTables.recordLists.address != 0, lock.acquire() == .entered else { return }
        defer { lock.release() }
        for number in 1..<max(UInt32(truncatingIfNeeded: sampled.record_count), 1) {
            let record = SampleTables.record(number)
            guard record.pointee.state == PERCOLATE_SAMPLE_LIVE.rawValue, record.pointee.blocks > 0 else { continue }
            SampleSites.remove(record.pointee.site, blocks: record.pointee.blocks, size: record.pointee.size)
            changing(sequence(number))
            record.pointee.blocks = 0
            changing(sequence(number))
        }
    }

    /// Makes the lists whole after a thread was lost in them. The lock is held.
    ///
    /// A record that was being changed is lost with its block's sample, but for its figures, which
    /// may count it. Records that somebody has taken stay in that thread's hands.
    static func rebuild() {
        guard SampleTables.recordLists.address != 0 else { return }
        endDeferred()
        for list in 0..<SampleTables.recordBuckets where SampleTables.recordLists[list].pointee != 0 {
            SampleTables.recordLists[list].pointee = 0
        }
        samplingState.pointee.firstFreeSample = 0
        for number in 1..<UInt32(truncatingIfNeeded: sampled.record_count) {
            let record = SampleTables.record(number)
            if record.pointee.sequence & 1 != 0 {
                record.pointee.state = PERCOLATE_SAMPLE_UNUSED.rawValue
                changing(sequence(number))
            } else if record.pointee.state != PERCOLATE_SAMPLE_UNUSED.rawValue {
                guard record.pointee.next != taken else { continue }
                let list = list(of: UInt(record.pointee.address))
                record.pointee.next = list.pointee
                list.pointee = number
                continue
            }
            record.pointee.next = samplingState.pointee.firstFreeSample
            samplingState.pointee.firstFreeSample = number
        }
        SampleSites.rebuild()
    }
}
