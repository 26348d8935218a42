/// The runs of ones in a sequence of words, from the lowest bit of the first.
struct RunLengths {
    /// The run that begins at the first bit.
    private(set) var start: UInt32 = 0
    private(set) var longest: UInt32 = 0
    /// The run that reaches the last bit so far.
    private var run: UInt32 = 0
    private var isPrefix = true

    @inline(__always)
    mutating func append(_ word: UInt64) {
        guard word != ~0 else {
            run &+= 64
            return
        }
        let low = (~word).trailingZeroBitCount
        let high = (~word).leadingZeroBitCount
        run &+= UInt32(low)
        if isPrefix {
            start = run
            isPrefix = false
        }
        longest = max(longest, max(run, UInt32(high)))
        run = UInt32(high)
        // Runs inside the word matter only where they can be longer than what is known; most words
        // have none.
        let inside = word & (~0 &<< UInt64(low)) & (~0 &>> UInt64(high))
        if inside != 0, inside.nonzeroBitCount > longest { lookInside(inside) }
    }

    /// Finds a run of `word` that is longer than `longest`: what is left when each run has lost so
    /// many bits.
    private mutating func lookInside(_ word: UInt64) {
        var runs = word
        var lost: UInt32 = 0
        while lost < longest, runs != 0 {
            let step = min(lost &+ 1, longest &- lost)
            runs &= runs &<< UInt64(step)
            lost &+= step
        }
        while runs != 0 {
            runs &= runs &<< 1
            longest &+= 1
        }
    }

    /// The run at the end of the sequence.
    mutating func end() -> UInt32 {
        if isPrefix { start = run }
        longest = max(longest, run)
        return run
    }
}
