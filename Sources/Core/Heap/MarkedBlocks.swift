import CPercolate

/// What basic hardening does for small blocks, by their marks (`Marks`).
extension Heap {
    /// Notes a small block that is about to be handed out, unless the process is fully hardened: if
    /// it became so meanwhile, the block is one from before.
    @inline(__always)
    static func noteUnchecked(_ block: UInt, _ number: Int) {
        switch Hardening.level {
        case .off: break
        case .basic: marks.set(block, number, Marks.live(block))
        case .full:
            records.existing(block, RecordTable.power(forBlocksOf: sizeClasses[number].pointee.size))?.pointee.forget()
        }
    }

    /// Frees a block whose mark says so already (`Marks`).
    static func freeMarked(_ address: UInt) {
        if Counting.isActive {
            let number = publishedClass(of: address)
            marks.set(address, number, Marks.live(address))
            _ = Counting.noteFree(address)
            marks.set(address, number, Marks.free)
        }
        takeDeferred()
        freeChecked(address)
    }

    /// Under basic hardening, before a small block is freed: ends the process unless the block is
    /// handed out, and marks it free.
    static func refuseUnmarked(_ address: UInt) {
        let number = publishedClass(of: address)
        guard number != 0 else { return }
        refuseInterior(address, number)
        let size = Int(sizeClasses[number].pointee.size)
        // A block that is not marked is from before, unless its span has it.
        if number == 1 || marks.value(address, number) == 0 {
            guard !Middle.isFree(UInt64(address), number) else {
                ProgrammerError.notAllocated.report(address, .block(size))
            }
        }
        guard number == 1 || marks.free(address, number) else {
            ProgrammerError.doubleFree.report(address, .block(size))
        }
    }

    /// The same before a block is resized, or its size said.
    static func refuseFreed(_ address: UInt, _ number: Int) {
        guard number != 1, publishedClass(of: address) != 0,
            marks.value(address, number) == Marks.free
        else { return }
        ProgrammerError.useAfterFree.report(address, .block(Int(sizeClasses[number].pointee.size)))
    }
}
