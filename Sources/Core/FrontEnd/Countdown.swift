import CPercolate

/// How the fast path finds the blocks that may be samples: each class of each slab counts its
/// blocks down to the next one.
///
/// A block of class c is a sample with probability p = 1 - exp(-size / rate). The number of blocks
/// in front of a sample has the geometric distribution, and a countdown holds 15 bits, so the
/// countdown finds *candidates*: of p' = 1 - exp(-m), where m is size / rate or 1/2048, whichever
/// is more. `Sampling` accepts a candidate with probability p / p'. A gap beyond 32,767 blocks then
/// has a probability of exp(-16), and is cut there.
///
/// Why it is unbiased whoever runs when. The process forgets: where a block is counted, or by whom,
/// does not matter, and a gap may be drawn anew at any time for a reason that has nothing to do
/// with the future. So each block is one of three. It was counted by a countdown that did not
/// expire. Or it expired one: it is the candidate. Or it met an expired countdown, or took the slow
/// path for another reason: then it is tried alone, with probability p. An expired countdown stays
/// expired until somebody draws the next gap, so the thread of the candidate may sleep meanwhile.
///
/// A countdown is stored alone, not together with the three fields beside it, and by anybody. An
/// update that is lost to another at the same moment leaves a gap that was drawn before, or an
/// expired countdown: both are valid.
enum Countdown {
    /// What sampling does with the blocks of one class.
    struct Rate {
        /// The mean number of candidates of a block, at most 50.
        var candidates = 0.0
        /// Of 2^64: how many blocks that come through the slow path, and how many candidates, are
        /// samples; how many are to be guarded.
        var slowSamples: UInt64 = 0
        var slowGuarded: UInt64 = 0
        var samples: UInt64 = 0
        var guarded: UInt64 = 0
        /// How many blocks a sample stands for.
        var weight = 0.0
    }

    struct State {
        /// Whether blocks are sampled or guarded. Written under the arena's lock, by `Sampling`.
        var isOn: Bool
        /// Whether each one is: then the fast path is off.
        var takesAll: Bool
        /// One for each class. Written once for each switch, while other threads read it: a block
        /// in between is taken by either rate.
        var rates: Table<Rate>
    }

    @inline(__always)
    static var state: UnsafeMutablePointer<State> { pinned(&frontEndState.pointee.countdown) }

    @inline(__always)
    static var isOn: Bool { state.pointee.isOn }
    @inline(__always)
    static var rates: Table<Rate> { state.pointee.rates }

    private static var least: Double { 1.0 / 2048 }

    /// Sets what holds for blocks of `size` bytes. `rate` and `guardRate` are mean numbers of
    /// bytes, 0 for none.
    static func rate(size: Double, rate: UInt64, guardRate: UInt64) -> Rate {
        let samples = rate == 1 ? 50 : rate == 0 ? 0 : size / Double(rate)
        let guarded = guardRate == 1 ? 50 : guardRate == 0 ? 0 : size / Double(guardRate)
        var result = Rate()
        result.candidates = min(max(max(samples, guarded), least), 50)
        let any = probabilityOfAny(result.candidates)
        result.slowSamples = threshold(probabilityOfAny(samples))
        result.slowGuarded = threshold(probabilityOfAny(guarded))
        result.samples = threshold(probabilityOfAny(samples) / any)
        result.guarded = threshold(probabilityOfAny(guarded) / any)
        if samples > 0 { result.weight = 1 / probabilityOfAny(samples) }
        return result
    }

    private static func threshold(_ probability: Double) -> UInt64 {
        probability >= 1 ? .max : UInt64(probability * 0x1p64)
    }

    /// The number of blocks in front of the next candidate.
    static func draw(_ sizeClass: Int) -> UInt16 {
        let gap = Randomness.exponential() / rates[sizeClass].pointee.candidates
        return gap < 32767 ? UInt16(gap) : 32767
    }

    /// The header of a class without capacity.
    @inline(__always)
    static func emptyHeader(_ sizeClass: Int) -> UInt64 { isOn ? UInt64(draw(sizeClass)) &<< 16 : 0 }

    /// Draws the next gap of a class of a slab.
    @inline(__always)
    static func restart(_ slab: Slab, _ sizeClass: Int) {
        let header: UnsafeMutablePointer<UInt16> = pointer(UInt(bitPattern: slab.headerWord(sizeClass)))
        header[Int(PERCOLATE_HEADER_COUNTDOWN) / 2] = draw(sizeClass)
    }

    /// Draws the gaps of all classes of a slab.
    static func start(_ slab: Slab) {
        for sizeClass in 1..<SizeClass.count { restart(slab, sizeClass) }
    }

    /// The same for every slab, when sampling is switched on or gets another rate.
    static func startAll() {
        var indexes = SlabIndexes()
        while let index = indexes.next() {
            start(Slab(address: FrontEnd.caches[index].pointee.slab))
        }
    }
}
