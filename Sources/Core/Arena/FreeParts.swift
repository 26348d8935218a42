/// Parts of the window that are free as a whole: what may leave it.
extension Arena {
    /// Free pages at the end of the committed part.
    var freeTail: Int {
        var page = committed
        while page > 0 {
            let index = (page &- 1) / Chunk.pages
            let base = index &* Chunk.pages
            var position = page &- base
            while position > 0, tree.chunk(index).free[position &- 1] { position &-= 1 }
            page = base &+ position
            if position > 0 { break }
        }
        return committed &- page
    }

    /// Calls `body` with the pages of each run of chunks that are wholly free.
    func forEachRunOfFreeChunks(_ body: (Range<Int>) -> Void) {
        var first = 0
        for index in 0...tree.chunkCount {
            if index < tree.chunkCount, tree.longestRun(inChunk: index) == Chunk.pages { continue }
            if first < index { body(first &* Chunk.pages..<index &* Chunk.pages) }
            first = index &+ 1
        }
    }
}
