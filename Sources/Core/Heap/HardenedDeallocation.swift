import CPercolate

/// Freeing, resizing and measuring a block of a fully hardened heap, and the way through the
/// quarantine.
extension Heap {
    /// Frees a block. False when the ordinary functions are to judge it.
    ///
    /// - Parameters:
    ///   - size: what the caller says that was asked for; nil when it does not say.
    ///   - alignment: the same.
    static func freeHardened(_ address: UInt, size: UInt? = nil, alignment: UInt? = nil) -> Bool {
        guard let found = known(address, .free) else { return false }
        if let alignment { refuseMisaligned(found, alignment) }
        if let size, size != UInt(found.facts.size) {
            endProcess(for: .wrongSize, address, found.record.pointee.report(address))
        }
        // Up to 16 nobody can tell what was asked for.
        if let alignment, alignment > 16 || found.facts.alignment != 0 {
            guard alignment == UInt(found.facts.alignment) else {
                endProcess(for: .wrongAlignment, address, found.record.pointee.report(address))
            }
        }
        claim(found, .free)
        refuseOverflow(found)
        noteFreed(found)
        found.record.pointee.stamp()
        if found.isEmpty {
            found.record.pointee.set(found.facts.with(.free))
            return true
        }
        var cost = found.facts.size
        if let number = found.number {
            cost = Int(sizeClasses[number].pointee.size)
            BytePattern.freed.fill(address..<(address &+ UInt(cost)))
            tally(.withheldBytes, found.facts.size, at: 0)
        } else {
            FencedBlocks.lock(address, found.facts.size)
            cost = FencedBlocks.cost(cost)
        }
        found.record.pointee.set(found.facts.with(.quarantined))
        leaveQuarantine(quarantineRing.put(address, cost: cost))
        leaveQuarantine(quarantineRing.takeOldest())
        if !Visit.isNested { leaveQuarantine(FencedBlocks.takeAside()) }
        return true
    }

    /// Empties the quarantine, but for blocks that cannot leave it now: those go in again.
    static func flushQuarantine() {
        for _ in 0..<quarantineRing.count {
            let block = quarantineRing.takeOldest(all: true)
            guard block != 0 else { break }
            leaveQuarantine(block)
        }
        var aside = FencedBlocks.takeAside()
        while aside != 0, leave(large: aside) { aside = FencedBlocks.takeAside() }
    }

    /// Checks that nobody wrote to a block since it was freed, and gives it back for use. 0 is no
    /// block.
    static func leaveQuarantine(_ first: UInt) {
        var block = first
        while block != 0 {
            let number = pageClass(of: block)
            guard number != 0 else {
                _ = leave(large: block)
                return
            }
            leave(small: block, number)
            block = quarantineRing.takeOldest()
        }
    }

    private static func leave(small block: UInt, _ number: Int) {
        if let record = records.existing(block, power(number)) {
            refuseLateWrite(block, number, record)
            record.pointee.set(record.pointee.facts.with(.free))
        }
        if forgetNoted(block) {
            FrontEnd.free(UInt64(block), number)
        } else {
            Refusal.free(block)
        }
        tally(.withheldBytes, 0 &- SizeClass.size(ofClass: number), at: 0)
    }

    /// The same for a large block. False when it cannot leave now: then it goes in again, and what
    /// it displaces leaves in its place, or waits aside.
    private static func leave(large block: UInt) -> Bool {
        if forgetNoted(block), FencedBlocks.release(block) { return true }
        let displaced = quarantineRing.put(block, cost: 0)
        guard displaced != 0 else { return false }
        let number = pageClass(of: displaced)
        if number != 0 {
            leave(small: displaced, number)
        } else {
            FencedBlocks.setAside(displaced)
        }
        return false
    }

    static func refuseLateWrite(
        _ block: UInt, _ number: Int, _ record: UnsafeMutablePointer<BlockRecord>,
        holding lock: Lock? = nil
    ) {
        let facts = record.pointee.facts
        let range = block..<(block &+ UInt(sizeClasses[number].pointee.size))
        guard facts.state == .quarantined, let place = BytePattern.freed.firstDifference(in: range)
        else { return }
        // Another thread may have taken it out meanwhile.
        guard record.pointee.facts == facts else { return }
        endProcess(
            for: .writeAfterFree, block,
            record.pointee.report(block, changed: Int(place &- block)), releasing: lock)
    }

    /// As `resize`; nil when the ordinary function is to do it.
    static func resizeHardened(_ address: UInt, _ size: UInt, usable: inout Int) -> UInt? {
        guard let found = known(address, .resize) else { return nil }
        claim(found, .resize)
        refuseOverflow(found)
        usable = found.facts.size
        let alignment = found.facts.alignment
        let isSame =
            if found.isEmpty || size > UInt(largestRequest) {
                false
            } else if let number = found.number {
                size > 0 && sizeClass(ofSize: Int(size) &+ canarySize, alignment: 16) == number
            } else {
                size > UInt(SizeClass.largest)
                    && FencedBlocks.pages(Int(size)) == FencedBlocks.pages(usable)
            }
        guard isSame, alignment == 0 else {
            found.record.pointee.set(found.facts)
            return 0
        }
        BytePattern.canary(of: address).fill(canary(address, Int(size), found.number))
        tally(found.number == nil ? .withheldLargeBytes : .withheldBytes, usable &- Int(size), at: 0)
        found.record.pointee.set(BlockRecord.Facts(.live, size: Int(size), alignment: alignment))
        return address
    }

    /// The bytes that were asked for; nil when the ordinary function is to say.
    static func usableSizeHardened(_ address: UInt) -> Int? { known(address, .inspect)?.facts.size }
}
