import CPercolate

/// Which blocks are samples or guarded, and how such a block is made. `Countdown` says how the fast
/// path meets its candidates.
enum Sampling {
    /// What becomes of one block.
    struct Choice {
        var isGuarded = false
        /// How many blocks it stands for as a sample; 0 for none.
        var weight = 0.0

        @inline(__always)
        var isPlain: Bool { weight == 0 && !isGuarded }
    }

    @inline(__always)
    private static func happens(_ threshold: UInt64) -> Bool { threshold != 0 && Randomness.next() <= threshold }

    /// For a small block that comes through the slow path.
    @inline(__always)
    static func choose(_ sizeClass: Int) -> Choice {
        let rate = Countdown.rates[sizeClass]
        var choice = Choice()
        if happens(rate.pointee.slowSamples) { choice.weight = rate.pointee.weight }
        choice.isGuarded = happens(rate.pointee.slowGuarded)
        return choice
    }

    /// For a candidate that the fast path met.
    static func chooseCandidate(_ sizeClass: Int) -> Choice {
        let rate = Countdown.rates[sizeClass]
        var choice = Choice()
        if happens(rate.pointee.samples) { choice.weight = rate.pointee.weight }
        choice.isGuarded = happens(rate.pointee.guarded)
        return choice
    }

    /// For a large block.
    static func chooseLarge(_ size: Int) -> Choice {
        let rate = Countdown.rate(
            size: Double(size), rate: sampled.rate, guardRate: sampled.guard_rate)
        var choice = Choice()
        if happens(rate.slowSamples) { choice.weight = rate.weight }
        choice.isGuarded = happens(rate.slowGuarded)
        return choice
    }

    /// A block of `size` bytes by `choice`, of the class that it would have otherwise. 0 when it
    /// has to be a plain one.
    @inline(never)
    static func allocate(_ size: Int, alignment: Int, sizeClass: Int, _ choice: Choice) -> UInt {
        withStack { stack in
            let depth = StackWalk.callers(into: stack, limit: Int(PERCOLATE_SAMPLE_FRAMES))
            if choice.isGuarded {
                let block = GuardedBlocks.allocate(
                    size, alignment: alignment, blocks: choice.weight, stack: stack, depth: depth)
                if block != 0 { return block }
            }
            guard choice.weight > 0, sizeClass != 0 else { return 0 }
            let block = Middle.allocateSampled(sizeClass)
            guard block != 0 else { return 0 }
            let record = Samples.add(
                block, size: size, blocks: choice.weight, isGuarded: false, stack: stack, depth: depth)
            if record == 0 {
                FrontEnd.freeAround(block, sizeClass)
                return 0
            }
            return block
        }
    }

    /// Makes a large block a sample that is a plain one so far. Its owner calls.
    static func mark(_ block: UInt, size: Int, weight: Double) {
        guard note(block, size: size, weight: weight) else { return }
        spans[spans.span(of: Middle.page(of: block))].pointee.isSampled = true
    }

    /// Records a block that its owner has already. Whether there was room.
    @inline(never)
    static func note(_ block: UInt, size: Int, weight: Double) -> Bool {
        withStack { stack in
            let depth = StackWalk.callers(into: stack, limit: Int(PERCOLATE_SAMPLE_FRAMES))
            let record = Samples.add(
                block, size: size, blocks: weight, isGuarded: false, stack: stack, depth: depth)
            return record != 0
        }
    }

    /// Calls `body` with room for a stack's frames.
    @inline(__always)
    static func withStack<R>(_ body: (UnsafeMutablePointer<UInt64>) -> R) -> R {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Int(PERCOLATE_SAMPLE_FRAMES)) { frames in
            body(pointer(UInt(bitPattern: frames.baseAddress)))
        }
    }
}
