import CPercolate

/// The end of the caches, when the process becomes fully hardened: gates close for good.
extension FrontEnd {
    /// Empties every cache, and leaves its gate closed. From here on nobody opens a gate: a CPU
    /// that is being set up has its gate's lock, which is waited for. A thread that saw the gate
    /// open finds it closed, or is done, before the blocks move.
    static func retire() {
        state.pointee.mode = .hardened
        Middle.endRestForGood()
        drainAllNow(forGood: true)
    }

    /// Empties every cache, also while nobody may use them, and what rests below.
    static func drainAllNow(forGood: Bool = false) {
        for index in 0..<indexCount where caches[index].pointee.slab != 0 {
            _ = drainCache(index, forGood: forGood)
        }
        _ = Middle.endRest()
    }

    /// Blocks of 8 bytes become blocks of 16: they would have no mark, and no canary, of their own.
    static func makeNoSmallestBlocks() {
        let lookup: UnsafeMutablePointer<UInt8> =
            pointer(UInt(front.tables) &+ UInt(PERCOLATE_TABLE_SIZE_CLASS))
        lookup[0] = 2
        lookup[1] = 2
    }
}
