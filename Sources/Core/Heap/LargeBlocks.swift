import CPercolate
import Synchronization

/// Blocks above the largest size class: each a span of its own.
extension Heap {
    /// Bytes from which moving pages is worth a mapping.
    private static var moveThreshold: Int { 1 << 20 }
    /// Blocks that may lie in mappings of their own at a time: the kernel limits mappings
    /// (vm.max_map_count, 65530).
    private static var movedLimit: Int { 4096 }

    private static func pages(_ size: Int) -> Int {
        Arena.wholeSystemPages((size &+ Int(Arena.pageSize) &- 1) &>> Int(PERCOLATE_PAGE_SHIFT))
    }

    /// The same with what it gets beyond to fill whole huge pages.
    private static func filled(_ pages: Int) -> Int { roundUp(pages, arena.hugePageUnit(forBlock: pages)) }

    /// Whether large arrays have huge pages is known before there is one. Without the arena's lock.
    private static func decideHugePages(forBlock pages: Int) {
        if pages >= HugePages.arrayPages, !arena.hugePages.isDecided { readMachineEarly() }
    }

    /// The usable bytes of a new block of `size` bytes.
    static func largeBlockSize(_ size: Int) -> Int {
        let least = max(Arena.systemPages, pages(size))
        decideHugePages(forBlock: least)
        return filled(least) &<< Int(PERCOLATE_PAGE_SHIFT)
    }

    /// A large block; 0 when there is no memory. `zeroed` asks for bytes that read as zero.
    static func allocateLarge(_ size: Int, alignment: Int, zeroed: Bool = false) -> UInt {
        var mayDrain = true
        let least = max(Arena.systemPages, pages(size))
        let needed = max(Arena.systemPages, alignment &>> Int(PERCOLATE_PAGE_SHIFT))
        decideHugePages(forBlock: least)
        var request = SpanRequest(
            pages: filled(least), alignment: max(needed, arena.hugePageUnit(forBlock: least)))
        // Before somebody else maps something there. Read without the lock: a hint.
        if arenaState.pointee.firstHole != 0 { _ = mendHoles() }
        while true {
            switch allocateSpan(request) {
            case .given(let span):
                if zeroed { zero(span.allocation.dirty) }
                return arena.address(span.allocation.first)
            case .refused: return Refusal.allocate(size, alignment: alignment, zeroed: zeroed)
            case .noMemory:
                if request.pages > least || request.alignment > needed {
                    request.pages = least
                    request.alignment = needed
                    continue
                }
                // The spans that only caches keep from being free may be what is missing.
                guard mayDrain, FrontEnd.drainAll() > 0 else { return 0 }
                mayDrain = false
            }
        }
    }

    /// Pages from which giving memory back to the kernel is cheaper than writing zeros, if the
    /// program touches few of them. It does not have to: where it touches all, it pays for the page
    /// faults what it saved here, and no byte was resident without need.
    private static var zeroingLimit: Int { 16 }

    /// Makes pages of a block that may hold old bytes read as zero.
    private static func zero(_ pages: Range<Int>) {
        guard !pages.isEmpty else { return }
        // The block begins and ends with pages of the kernel.
        let pages = (pages.lowerBound & ~(Arena.systemPages &- 1))..<Arena.wholeSystemPages(pages.upperBound)
        let address = arena.address(pages.lowerBound)
        let bytes = pages.count &<< Int(PERCOLATE_PAGE_SHIFT)
        // The kernel refuses locked memory.
        if pages.count >= zeroingLimit, percolate_madvise(address, bytes, MADV_DONTNEED) == 0 { return }
        percolate_zero(address, bytes)
    }

    /// Frees the large block at `address`, or ends the process when there is none. `expectedSize`
    /// is checked when not negative.
    static func freeLarge(_ address: UInt, expectedSize: Int = -1) {
        guard arenaLock.acquire() == .entered else { return Refusal.free(address) }
        let id = largeSpan(at: address, holding: arenaLock)
        if expectedSize >= 0, !fits(max(Arena.systemPages, pages(expectedSize)), spans[id].pointee) {
            ProgrammerError.wrongSize.report(address, .block(usableLargeSize(id)), releasing: arenaLock)
        }
        if spans[id].pointee.moved {
            arenaLock.release()
            return freeMoved(address)
        }
        freeSpanLocked(id)
        unlockArenaAndRelease()
    }

    /// Whether a block of `wanted` pages may be the one that `record` describes, as it is.
    private static func fits(_ wanted: Int, _ record: Span) -> Bool {
        let pages = Int(record.pages)
        return wanted == pages || filled(wanted) == pages
            || record.hasSlack && wanted < pages && wanted >= pages &- pages / 16
    }

    /// Frees a block of moved pages: maps its addresses afresh, which gives the memory back and
    /// lets the mapping join its neighbours.
    private static func freeMoved(_ address: UInt) {
        let isFresh = mapAfresh(address, pages: Int(spans[largeSpan(at: address)].pointee.pages))
        guard arenaLock.acquire() == .entered else { return Refusal.free(address) }
        heapState.pointee.movedBlocks.wrappingSubtract(1, ordering: .relaxed)
        freeSpanLocked(largeSpan(at: address), clean: isFresh)
        arenaLock.release()
    }

    /// Replaces pages by fresh ones that can join the mappings around them. Whether the kernel did.
    private static func mapAfresh(_ address: UInt, pages: Int) -> Bool {
        let bytes = pages &<< Int(PERCOLATE_PAGE_SHIFT)
        guard mapPages(address, bytes, MAP_FIXED) > 0 else { return false }
        announceRelease(address, bytes)
        return true
    }

    /// The span of the large block that begins at `address`. Ends the process when there is none.
    /// The arena's lock is held, as `lock`, or the block belongs to the caller.
    ///
    /// - Parameter freed: what it is where the block is free.
    static func largeSpan(
        at address: UInt, _ freed: ProgrammerError = .doubleFree, holding lock: Lock? = nil
    ) -> SpanID {
        let page = Middle.page(of: address)
        let id = spans.span(of: page)
        if id != 0, spans[id].pointee.kind == .large, arena.address(page) == address { return id }
        if id != 0 {
            let place =
                spans[id].pointee.kind == .large ? ProgrammerError.Place.block(usableLargeSize(id)) : .largeBlock
            ProgrammerError.interiorPointer.report(address, place, releasing: lock)
        }
        let chunk = arena.tree.chunk(page / Chunk.pages)
        guard chunk.free[page % Chunk.pages] else {
            ProgrammerError.interiorPointer.report(address, .largeBlock, releasing: lock)
        }
        // A page that was not used since it last went back to the kernel says nothing of a block.
        let error = chunk.dirty[page % Chunk.pages] ? freed : .notAllocated
        error.report(address, .freePages, releasing: lock)
    }

    static func usableLargeSize(_ id: SpanID) -> Int { Int(spans[id].pointee.pages) &<< Int(PERCOLATE_PAGE_SHIFT) }

    /// Resizes a large block to `size` bytes, which is large as well. The block's new address, 0
    /// when there is no memory, or none behind the block where it may not move.
    static func resizeLarge(_ address: UInt, to size: Int, mayMove: Bool = true) -> UInt {
        let least = pages(size)
        decideHugePages(forBlock: least)
        let wanted = filled(least)
        guard arenaLock.acquire() == .entered else { return 0 }
        let id = largeSpan(at: address, .useAfterFree, holding: arenaLock)
        let record = spans[id]
        let first = Int(record.pointee.firstPage)
        let old = Int(record.pointee.pages)
        let isMoved = record.pointee.moved
        if least <= old, fits(least, record.pointee) {
            arenaLock.release()
            return address
        }
        if wanted < old {
            // The caller owns the tail for as long as the record says so.
            var isFresh = false
            if isMoved { isFresh = mapAfresh(arena.address(first &+ wanted), pages: old &- wanted) }
            announceSpanFree((first &+ wanted)..<(first &+ old), blockSize: 0)
            record.pointee.hasSlack = false
            record.pointee.pages = UInt32(truncatingIfNeeded: wanted)
            percolate_compiler_barrier()
            arena.free((first &+ wanted)..<(first &+ old), clean: isFresh)
            arenaState.pointee.largePages &+= wanted &- old
            unlockArenaAndRelease()
            return address
        }
        // Moved pages are a mapping of their own, and stay one mapping: it can be moved again as
        // one.
        if !isMoved, let growth = arena.allocate(exactly: (first &+ old)..<(first &+ wanted)) {
            announceSpanAllocation((first &+ old)..<(first &+ wanted), blockSize: 0)
            record.pointee.hasSlack = false
            record.pointee.pages = UInt32(truncatingIfNeeded: wanted)
            arenaState.pointee.largePages &+= wanted &- old
            let huge = hugePages(forBlock: growth, of: wanted)
            arenaLock.release()
            adviseHugePages(huge)
            return address
        }
        arenaLock.release()
        guard mayMove else { return 0 }

        let target = allocateGrown(wanted, from: old, size)
        guard target != 0 else { return 0 }
        let bytes = old &<< Int(PERCOLATE_PAGE_SHIFT)
        var moved = false
        if bytes >= moveThreshold, size >= bytes, !Emergency.owns(target) {
            switch movePages(from: address, count: bytes, to: target) {
            case .moved: moved = true
            case .kept: break
            case .unmapped:
                makeHole(largeSpan(at: target), pages: old)
                return copyElsewhere(address, bytes, size)
            }
        }
        if !moved { percolate_copy(target, address, min(bytes, size)) }
        releaseOld(address, clean: moved)
        return target
    }

    /// A block of `size` bytes, `wanted` pages, for one of `old` pages that has no room to grow.
    /// One that grows in small steps gets a sixteenth more than it asks for, so that it does not
    /// move at each step; pages that are fresh are no memory until touched.
    private static func allocateGrown(_ wanted: Int, from old: Int, _ size: Int) -> UInt {
        if wanted &- old < old / 8 {
            let bytes = (wanted &+ wanted / 16) &<< Int(PERCOLATE_PAGE_SHIFT)
            let target = allocateLarge(bytes, alignment: 1)
            if target != 0 {
                if !Emergency.owns(target) { spans[largeSpan(at: target)].pointee.hasSlack = true }
                return target
            }
        }
        return allocateLarge(size, alignment: 1)
    }

    private enum Move { case moved, kept, unmapped }

    /// Moves pages by mremap(2), leaving the source mapped and empty: no hole opens in the window.
    private static func movePages(from source: UInt, count: Int, to target: UInt) -> Move {
        // Once the kernel has refused, pages are copied.
        guard !heapState.pointee.isMovingRefused.load(ordering: .relaxed),
            heapState.pointee.movedBlocks.load(ordering: .relaxed) < movedLimit
        else { return .kept }
        let result = percolate_mremap_keep(source, count, target)
        if result > 0 {
            // What is left at the source is one of the window's ordinary pages again.
            if arena.hugePages.isOn { _ = percolate_madvise(source, count, MADV_NOHUGEPAGE) }
            spans[largeSpan(at: target)].pointee.moved = true
            heapState.pointee.movedBlocks.wrappingAdd(1, ordering: .relaxed)
            return .moved
        }
        // EFAULT: the block lies in several mappings, as only some do.
        if result != -Int(EFAULT) {
            heapState.pointee.isMovingRefused.store(true, ordering: .relaxed)
        }
        // A kernel without this call, or a filter, has looked at no address.
        if result == -Int(EINVAL) || result == -Int(EPERM) || result == -Int(ENOSYS) { return .kept }
        #if PERCOLATE_TRUSTING_REFUSALS
            // A test build: what the kernel does not say, it has not done.
            return .kept
        #else
            // The kernel may have unmapped the target before it refused.
            let mapped = mapPages(target, count, MAP_FIXED_NOREPLACE)
            guard mapped <= 0 else { return .kept }
            // Something is there: the target still, or what somebody else mapped in between. Nobody
            // can tell, so the target is lost, but not a second one.
            if mapped == -Int(EEXIST) { heapState.pointee.isMovingRefused.store(true, ordering: .relaxed) }
            return .unmapped
        #endif
    }

    private static func copyElsewhere(_ address: UInt, _ bytes: Int, _ size: Int) -> UInt {
        let target = allocateLarge(size, alignment: 1)
        guard target != 0 else { return 0 }
        percolate_copy(target, address, min(bytes, size))
        releaseOld(address, clean: false)
        return target
    }

    /// Frees the block whose bytes are elsewhere now; `clean` when its pages are, too.
    private static func releaseOld(_ address: UInt, clean: Bool) {
        if spans[largeSpan(at: address)].pointee.moved { return freeMoved(address) }
        guard arenaLock.acquire() == .entered else { return Refusal.free(address) }
        freeSpanLocked(largeSpan(at: address), clean: clean)
        if clean { arenaLock.release() } else { unlockArenaAndRelease() }
    }
}
