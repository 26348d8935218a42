import CPercolate

/// What an address is: whose memory, and of which size class.
extension Heap {
    /// Whether `address` lies in memory that blocks come from.
    static func owns(_ address: UInt) -> Bool {
        isInArena(address) || Emergency.owns(address) || GuardedBlocks.owns(address)
    }

    /// Whether `address` is a block for emergencies: those lie outside the arena, which is quicker
    /// to know.
    @inline(__always)
    static func isForEmergencies(_ address: UInt) -> Bool { !isInArena(address) && Emergency.owns(address) }

    /// Whether `address` lies among the pages that blocks come from.
    @inline(__always)
    private static func isInArena(_ address: UInt) -> Bool {
        (address &- arena.base) &>> UInt(PERCOLATE_PAGE_SHIFT) < UInt(bitPattern: publishedPages)
    }

    /// The size class of the block at `address`, 0 for a large block. Ends the process for an
    /// address outside the arena.
    static func pageClass(of address: UInt) -> Int {
        let number = publishedClass(of: address)
        return number != 0 ? number : Middle.sampledClass(ofPage: Middle.page(of: address))
    }

    /// The same as the fast path sees it: 0 for samples, too.
    static func publishedClass(of address: UInt) -> Int {
        guard isInArena(address) else { ProgrammerError.foreignPointer.report(address, .elsewhere) }
        let classes = Table<UInt8>(address: arenaState.pointee.pageClasses.address)
        return Int(classes[Middle.page(of: address)].pointee)
    }

    /// Ends the process when no block that was asked for at a multiple of `alignment` can begin at
    /// `address`.
    static func refuseMisaligned(_ address: UInt, _ alignment: UInt) {
        guard !isMultiple(address, of: alignment) else { return }
        let number = pageClass(of: address)
        if number != 0 {
            refuseInterior(address, number)
            let size = Int(sizeClasses[number].pointee.size)
            ProgrammerError.wrongAlignment.report(address, .block(size))
        }
        let size = usableLargeSize(largeSpan(at: address))
        ProgrammerError.wrongAlignment.report(address, .block(size))
    }

    /// Ends the process when `address` is not the start of a block of its class.
    static func refuseInterior(_ address: UInt, _ number: Int) {
        let id = spans.span(of: Middle.page(of: address))
        guard id != 0 else { return }
        let offset = address &- arena.address(Int(spans[id].pointee.firstPage))
        let info = sizeClasses[number].pointee
        guard info.block(at: offset) != nil else {
            ProgrammerError.interiorPointer.report(address, .block(Int(info.size)))
        }
    }
}
