/// The tables of a hardened heap.
extension Hardening {
    /// Makes the tables that `level` needs. False when the kernel has no addresses for them. The
    /// caller keeps others from doing the same.
    static func prepare(for level: HardeningLevel, quarantine: UInt) -> Bool {
        switch level {
        case .off: return true
        case .basic: return startMarks()
        case .full:
            FencedBlocks.start()
            return hardenedState.pointee.records.start(pages: arena.limit)
                && hardenedState.pointee.emptyBlocks.start()
                && hardenedState.pointee.quarantineRing.start(limit: quarantine)
                && hardenedState.pointee.freeBlockPool.start()
        }
    }

    private static func startMarks() -> Bool {
        guard marks.start(pages: arena.limit) else { return false }
        // 0 is the class of pages that hold no small blocks, 1 of blocks of 8 bytes.
        for number in 0...1 { marks.place(number, at: UInt(FrontEnd.closed)) }
        for number in 2..<SizeClass.count {
            marks.place(number, size: SizeClass.size(ofClass: number))
        }
        return true
    }
}
