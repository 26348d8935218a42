import CPercolate

/// The operations of a fully hardened heap (`HardeningLevel.full`): each block has a record, and a
/// canary behind what was asked for; a freed one is filled and waits in quarantine.
///
/// A block that was handed out before the process was hardened has no record: these functions leave
/// it to the ordinary ones, which check what a span can tell.
extension Heap {
    /// Bytes behind a small block's asked size that must stay as they are, at least.
    static var canarySize: Int { 8 }

    static func allocateHardened(_ size: Int, alignment: Int, zeroed: Bool) -> UInt {
        if size == 0, alignment <= Arena.pageSize {
            let block = emptyBlocks.allocate(alignment: alignment)
            if block != 0 { return block }
        }
        let number =
            alignment <= Arena.pageSize
            ? sizeClass(ofSize: size &+ canarySize, alignment: max(alignment, 16)) : nil
        var isFlushed = false
        while true {
            var dirty = true
            let supply =
                if let number { takeSmall(number) } else {
                    FencedBlocks.allocate(size, alignment: alignment, dirty: &dirty)
                }
            switch supply {
            case .given(let block):
                guard handOut(block, size, alignment, number) else { break }
                if zeroed, dirty { percolate_zero(block, size) }
                return block
            case .refused: return Refusal.allocate(size, alignment: alignment, zeroed: zeroed)
            case .noMemory: break
            }
            // What waits in quarantine is memory, too.
            guard !isFlushed else { return 0 }
            isFlushed = true
            flushQuarantine()
        }
    }

    static func takeSmall(_ number: Int) -> Supply<UInt> {
        for _ in 0..<256 {
            let supply = FrontEnd.allocate(number)
            guard case .given(let fresh) = supply else {
                let block = freeBlockPool.take(number)
                guard block != 0 else { return supply }
                tally(.withheldBytes, 0 &- SizeClass.size(ofClass: number), at: 0)
                return .given(UInt(block))
            }
            // A free of it while it waits there is reported.
            guard let record = records.make(fresh, power(number)) else { return supply }
            if record.pointee.facts.state == .unknown { record.pointee.setNeverAllocated() }
            let block = freeBlockPool.exchange(UInt64(fresh), number)
            if block != 0 { return .given(UInt(block)) }
            tally(.withheldBytes, SizeClass.size(ofClass: number), at: 0)
        }
        return FrontEnd.allocate(number)
    }

    /// Writes the canary and the record of a block. False, with the block given back, when there is
    /// no memory for it.
    static func handOut(_ block: UInt, _ size: Int, _ alignment: Int, _ number: Int?)
        -> Bool
    {
        guard let record = records.make(block, power(number)) else {
            if let number { FrontEnd.free(UInt64(block), number) }
            return false
        }
        BytePattern.canary(of: block).fill(canary(block, size, number))
        record.pointee.stamp()
        record.pointee.set(BlockRecord.Facts(.live, size: size, alignment: alignment))
        if let number { tally(.withheldBytes, SizeClass.size(ofClass: number) &- size, at: 0) }
        return true
    }

    static func power(_ number: Int?) -> UInt {
        guard let number else { return RecordTable.pagePower }
        return RecordTable.power(forBlocksOf: sizeClasses[number].pointee.size)
    }

    /// The addresses behind the asked bytes: to the end of the block, of a large one to the guard
    /// page.
    static func canary(_ block: UInt, _ size: Int, _ number: Int?) -> Range<UInt> {
        let end =
            if let number { UInt(sizeClasses[number].pointee.size) } else {
                UInt(FencedBlocks.pages(size)) &<< UInt(PERCOLATE_PAGE_SHIFT)
            }
        return (block &+ UInt(size))..<(block &+ max(end, UInt(size)))
    }
}
