import CPercolate

/// What a fully hardened heap knows of the block at an address, and what it says where that is
/// wrong.
extension Heap {
    /// What the caller of a hardened function is about, for the words of a report.
    enum Use { case free, resize, inspect }

    /// A block that a record tells of.
    struct Known {
        let block: UInt
        let number: Int?
        let record: UnsafeMutablePointer<BlockRecord>
        let facts: BlockRecord.Facts
        let isEmpty: Bool
    }

    /// The live block at `address`; nil when it has no record and is the ordinary functions' to
    /// judge. Ends the process when `address` is no block's start, or the block is freed.
    static func known(_ address: UInt, _ use: Use) -> Known? {
        if emptyBlocks.contains(address) {
            guard let record = emptyBlocks.record(address) else {
                ProgrammerError.interiorPointer.report(address, .block(0))
            }
            return live(
                Known(
                    block: address, number: nil, record: record, facts: record.pointee.facts,
                    isEmpty: true), use)
        }
        let number = publishedClass(of: address)
        guard number != 0 else { return knownLarge(address, use) }
        refuseHardenedInterior(address, number)
        guard let record = records.existing(address, power(number)) else { return nil }
        let facts = record.pointee.facts
        if facts.state == .unknown {
            guard !Middle.isFree(UInt64(address), number) else {
                ProgrammerError.notAllocated.report(
                    address, .block(Int(sizeClasses[number].pointee.size)))
            }
            return nil
        }
        return live(
            Known(block: address, number: number, record: record, facts: facts, isEmpty: false), use
        )
    }

    /// As `refuseInterior`, with what is known of the block around the address.
    static func refuseHardenedInterior(_ address: UInt, _ number: Int) {
        let id = spans.span(of: Middle.page(of: address))
        guard id != 0 else { return }
        let start = arena.address(Int(spans[id].pointee.firstPage))
        let info = sizeClasses[number].pointee
        guard info.block(at: address &- start) == nil else { return }
        let block = address &- (address &- start) % UInt(info.size)
        guard let record = records.existing(block, power(number)),
            record.pointee.facts.state != .unknown
        else {
            ProgrammerError.interiorPointer.report(address, .block(Int(info.size)))
        }
        endProcess(for: .interiorPointer, address, record.pointee.report(block))
    }

    static func knownLarge(_ address: UInt, _ use: Use) -> Known? {
        let isPage = address % Arena.pageSize == 0
        if isPage, FencedBlocks.begins(at: address),
            let record = records.existing(address, RecordTable.pagePower)
        {
            return live(
                Known(
                    block: address, number: nil, record: record, facts: record.pointee.facts,
                    isEmpty: false), use)
        }
        if let block = FencedBlocks.block(around: address),
            let record = records.existing(block, RecordTable.pagePower)
        {
            endProcess(for: .interiorPointer, address, record.pointee.report(block))
        }
        // A small block whose span is gone.
        var power = RecordTable.smallestPower
        while spans.span(of: Middle.page(of: address)) == 0, power <= 15 {
            if let record = records.existing(address, power), record.pointee.facts.state == .free {
                let error = use == .free ? ProgrammerError.doubleFree : .useAfterFree
                endProcess(for: error, address, record.pointee.report(address))
            }
            power &+= 1
        }
        return nil
    }

    /// Waits while somebody looks at the block's canary.
    static func live(_ found: Known, _ use: Use) -> Known {
        var facts = found.facts
        while facts.state == .checked {
            percolate_pause()
            facts = found.record.pointee.facts
        }
        guard facts.state == .live else {
            let wasAllocated = found.record.pointee.wasAllocated
            let error =
                !wasAllocated
                ? ProgrammerError.notAllocated : use == .free ? .doubleFree : .useAfterFree
            endProcess(for: error, found.block, found.record.pointee.report(found.block))
        }
        return Known(
            block: found.block, number: found.number, record: found.record, facts: facts,
            isEmpty: found.isEmpty)
    }

    /// Makes the block the caller's: of two who free it at once, one comes here.
    static func claim(_ found: Known, _ use: Use) {
        var seen = found
        while !seen.record.pointee.exchange(seen.facts, for: seen.facts.with(.busy)) {
            let facts = seen.record.pointee.facts
            seen = live(
                Known(
                    block: seen.block, number: seen.number, record: seen.record, facts: facts,
                    isEmpty: seen.isEmpty),
                use)
        }
    }

    /// Ends the process when the block cannot have been asked for at a multiple of `alignment`.
    static func refuseMisaligned(_ found: Known, _ alignment: UInt) {
        guard !isMultiple(found.block, of: alignment) else { return }
        endProcess(for: .wrongAlignment, found.block, found.record.pointee.report(found.block))
    }

    static func refuseOverflow(_ found: Known, holding lock: Lock? = nil) {
        guard !found.isEmpty else { return }
        let range = canary(found.block, found.facts.size, found.number)
        guard let place = BytePattern.canary(of: found.block).firstDifference(in: range) else {
            return
        }
        endProcess(
            for: .overflow, found.block,
            found.record.pointee.report(found.block, changed: Int(place &- found.block)),
            releasing: lock)
    }
}
