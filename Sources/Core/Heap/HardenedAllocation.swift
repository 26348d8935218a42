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
            var interrupted = false
            var dirty = true
            var block: UInt = 0
            if let number {
                block = takeSmall(number, interrupted: &interrupted)
            } else {
                block = FencedBlocks.allocate(
                    size, alignment: alignment, dirty: &dirty, interrupted: &interrupted)
            }
            if block != 0, handOut(block, size, alignment, number) {
                if zeroed, dirty { percolate_zero(block, size) }
                return block
            }
            if interrupted {
                block = Emergency.allocate(size, alignment: alignment)
                if block != 0, zeroed { percolate_zero(block, size) }
                return block
            }
            // What waits in quarantine is memory, too.
            guard !isFlushed else { return 0 }
            isFlushed = true
            flushQuarantine()
        }
    }

    static func takeSmall(_ number: Int, interrupted: inout Bool) -> UInt {
        for _ in 0..<256 {
            let (fresh, supply) = FrontEnd.allocate(number)
            if case .interrupted = supply { interrupted = true }
            guard fresh != 0 else {
                let block = freeBlockPool.take(number)
                if block != 0 { tally(.withheldBytes, 0 &- SizeClass.size(ofClass: number), at: 0) }
                return UInt(block)
            }
            // A free of it while it waits there is reported.
            guard let record = records.make(UInt(fresh), power(number)) else { return UInt(fresh) }
            if record.pointee.facts.state == .unknown { record.pointee.setNeverAllocated() }
            let block = freeBlockPool.exchange(fresh, number)
            if block != 0 { return UInt(block) }
            tally(.withheldBytes, SizeClass.size(ofClass: number), at: 0)
        }
        return UInt(FrontEnd.allocate(number).address)
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
