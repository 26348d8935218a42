/// The tables of a hardened heap.
extension Hardening {
    /// Makes the tables that `level` needs. False when the kernel has no addresses for them. The
    /// caller keeps others from doing the same.
    static func prepare(for level: HardeningLevel, quarantine: UInt) -> Bool {
        switch level {
        case .off: return true
        case .basic: return marks.start(pages: arena.limit)
        case .full:
            FencedBlocks.start()
            return hardenedState.pointee.records.start(pages: arena.limit)
                && hardenedState.pointee.emptyBlocks.start()
                && hardenedState.pointee.quarantineRing.start(limit: quarantine)
                && hardenedState.pointee.freeBlockPool.start()
        }
    }
}
