import CPercolate
import Synchronization

/// Large blocks between pages that nobody may touch: an access in front of one or behind one ends
/// the process there.
///
/// Each is a span of its own that begins with one to four guard pages, at random, and ends with
/// one. Its record is that of its first page; a second one, in the array for half pages, holds the
/// span's number. A freed one is out of reach and has no memory until it leaves the quarantine.
enum FencedBlocks {
    /// Blocks that have guard pages at a time: each costs two mappings, of which the kernel gives a
    /// process 65530 (vm.max_map_count). Further ones have none.
    private static var limit: Int { 16384 }

    /// Reads the limits. Once, when the process becomes fully hardened.
    static func start() {
        let areShort = isDataLimited || arena.backing == .pieces
        hardenedState.pointee.areAddressesShort.store(areShort, ordering: .relaxed)
    }

    /// Whether the kernel counts what the process may write to.
    private static var isDataLimited: Bool {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        let isKnown = percolate_getrlimit(Int32(RLIMIT_DATA.rawValue), &limit) == 0
        return isKnown && limit.rlim_cur != UInt.max
    }

    /// Bytes that a freed block of `size` bytes counts as in quarantine: it holds addresses, and no
    /// memory.
    static func cost(_ size: Int) -> Int {
        let areShort = hardenedState.pointee.areAddressesShort.load(ordering: .relaxed)
        return areShort ? size : max(Int(Arena.pageSize), size &>> 8)
    }

    private static var pageShift: Int { Int(PERCOLATE_PAGE_SHIFT) }
    static func pages(_ size: Int) -> Int {
        Arena.wholeSystemPages(max(1, (size &+ Int(Arena.pageSize) &- 1) &>> pageShift))
    }
    private static var spanPower: UInt { RecordTable.pagePower &- 1 }

    /// A block of `size` bytes, which may hold old bytes if `dirty`.
    static func allocate(_ size: Int, alignment: Int, dirty: inout Bool) -> Supply<UInt> {
        let wanted = pages(size)
        let unit = Arena.systemPages
        let front = unit &* (1 &+ Int(SecretNumbers.next() & 3))
        let slack = max(0, alignment &>> pageShift &- unit)
        let all = front &+ wanted &+ slack &+ unit
        let span: FreshSpan
        switch allocateSpan(SpanRequest(pages: all, alignment: unit)) {
        case .given(let fresh): span = fresh
        case .noMemory: return .noMemory
        case .refused: return .refused
        }
        let first = span.allocation.first
        let alignment = max(UInt(alignment), Reservation.pageSize)
        let block = roundUp(arena.address(first &+ front), alignment)
        guard let record = records.make(block, RecordTable.pagePower),
            let link = records.make(block, spanPower)
        else {
            free(span: span.id, clean: false)
            return .noMemory
        }
        dirty = !span.allocation.dirty.isEmpty
        // A look-up of the guard page finds no block. Under the lock, since `repairArena` goes by
        // the entries: it shows those that are hidden, and one that goes away meanwhile would make
        // the pages free.
        if arenaLock.acquire() == .entered {
            spans.setSpan(0, of: first..<(first &+ 1))
            arenaLock.release()
        }
        link.pointee.setLink(UInt64(span.id))
        if hardenedState.pointee.fencedBlocks.wrappingAdd(1, ordering: .relaxed).newValue <= limit {
            let end = block &+ UInt(wanted) &<< UInt(pageShift)
            _ = percolate_mprotect(
                arena.address(first), Int(block &- arena.address(first)), PROT_NONE)
            _ = percolate_mprotect(end, Int(arena.address(first &+ all) &- end), PROT_NONE)
        }
        record.pointee.stamp()
        tally(.withheldLargeBytes, (all &<< pageShift) &- size, at: 0)
        return .given(block)
    }

    /// Takes the memory of a freed block away, and every access to it.
    static func lock(_ block: UInt, _ size: Int) {
        let bytes = pages(size) &<< pageShift
        _ = percolate_madvise(block, bytes, MADV_DONTNEED)
        // Where no mapping is left to divide the pages can still be read: as zero.
        _ = percolate_mprotect(block, bytes, PROT_NONE)
        tally(.largeFrees, at: 0)
        tally(.withheldLargeBytes, size, at: 0)
    }

    /// Gives the pages of a block that left the quarantine back to the arena. False when that must
    /// be tried again: the calling thread is a signal handler inside the arena, or the kernel
    /// refuses to make the pages usable (RLIMIT_DATA, vm.max_map_count).
    static func release(_ block: UInt) -> Bool {
        guard let link = records.existing(block, spanPower),
            let record = records.existing(block, RecordTable.pagePower)
        else { return true }
        guard let number = link.pointee.link else { return true }
        let id = SpanID(truncatingIfNeeded: number)
        let span = spans[id].pointee
        let start = arena.address(Int(span.firstPage))
        guard makeUsable(start, Int(span.pages)) else { return false }
        let isClean = percolate_madvise(start, Int(span.pages) &<< pageShift, MADV_DONTNEED) == 0
        guard arenaLock.acquire() == .entered else { return false }
        link.pointee.set(BlockRecord.Facts(.free, size: 0, alignment: 0))
        record.pointee.set(record.pointee.facts.with(.free))
        // It was counted when the program freed it.
        tally(.largeFrees, -1, at: 0)
        tally(.withheldLargeBytes, 0 &- (Int(span.pages) &<< pageShift), at: 0)
        freeSpanLocked(id, clean: isClean)
        unlockArenaAndRelease()
        hardenedState.pointee.fencedBlocks.wrappingSubtract(1, ordering: .relaxed)
        return true
    }

    /// Keeps a block that cannot be released now, and for which the quarantine has no room.
    static func setAside(_ block: UInt) {
        guard let id = records.existing(block, spanPower)?.pointee.link else { return }
        let span = spans[SpanID(truncatingIfNeeded: id)]
        // The fields have no other use while a large block has the span.
        span.pointee.next = 0
        span.pointee.previous = UInt32(truncatingIfNeeded: Middle.page(of: block))
        hardenedState.pointee.blocksAside.add(SpanID(truncatingIfNeeded: id))
    }

    /// Takes one of them; 0 where there is none. The others go back first, so that a thread that is
    /// lost meanwhile loses no more than the one.
    static func takeAside() -> UInt {
        guard !hardenedState.pointee.blocksAside.isEmpty else { return 0 }
        let id = hardenedState.pointee.blocksAside.takeAll()
        guard id != 0 else { return 0 }
        let rest = spans[id].pointee.next
        if rest != 0 { hardenedState.pointee.blocksAside.add(rest) }
        return arena.address(Int(spans[id].pointee.previous))
    }

    /// What the kernel charged for the pages went to others since they were locked, where a limit
    /// counts it: free pages have to give theirs.
    private static func makeUsable(_ start: UInt, _ pages: Int) -> Bool {
        let bytes = pages &<< pageShift
        if percolate_mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0 { return true }
        guard isDataLimited else { return false }
        hardenedState.pointee.areAddressesShort.store(true, ordering: .relaxed)
        guard arena.backing == .reserved, retireFreePages(pages) else { return false }
        return percolate_mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0
    }

    private static func free(span id: SpanID, clean: Bool) {
        guard arenaLock.acquire() == .entered else { return }
        freeSpanLocked(id, clean: clean)
        arenaLock.release()
    }

    /// The large block that `address` lies in, live or in quarantine; nil when there is none.
    static func block(around address: UInt) -> UInt? {
        var block = address & ~(Arena.pageSize &- 1)
        while block >= arena.base {
            if begins(at: block), let record = records.existing(block, RecordTable.pagePower) {
                let size = record.pointee.facts.size
                return address &- block < UInt(pages(size)) &<< UInt(pageShift) ? block : nil
            }
            block &-= Arena.pageSize
        }
        return nil
    }

    /// Whether a large block begins at `address`, a multiple of the page size.
    static func begins(at address: UInt) -> Bool {
        guard let link = records.existing(address, spanPower) else { return false }
        return link.pointee.link != nil
    }
}
