import CPercolate
import Synchronization

/// Sampling as the heap's operations see it: which calls are tried, and how sampling is switched.
extension Heap {
    /// Whether somebody asked for another rate than holds.
    @inline(__always)
    static var isSamplingAsked: Bool { sampled.requests != sampled.answered }

    /// Asks for mean numbers of bytes between samples, and between guarded blocks; 0 for none.
    /// Whether that holds now: not where the kernel refuses memory for the tables, or where another
    /// thread is about it this moment, which then does it.
    static func setSampling(rate: UInt64, guardRate: UInt64) -> Bool {
        sampled.wanted_rate = rate
        sampled.wanted_guard_rate = guardRate
        sampled.requests &+= 1
        answerSampling()
        return sampled.rate == rate && sampled.guard_rate == guardRate
    }

    /// Does what was asked for. Never waits for another thread that does.
    @inline(never)
    static func answerSampling() {
        let me = percolate_thread_number()
        guard !Visit.isNested else { return }
        // A thread that finds itself there has left the switch by a jump.
        let (exchanged, other) = heapState.pointee.samplingSwitcher.compareExchange(
            expected: 0, desired: me, ordering: .acquiring)
        guard exchanged || other == me else { return }
        while isSamplingAsked {
            let request = sampled.requests
            switchSampling(rate: sampled.wanted_rate, guardRate: sampled.wanted_guard_rate)
            sampled.answered = request
        }
        heapState.pointee.samplingSwitcher.store(0, ordering: .releasing)
    }

    /// In the child of a fork: a thread that was switching is not here. What it left is done again
    /// by whoever is asked next. And the child's random numbers are its own.
    static func adoptSampling() {
        if heapState.pointee.samplingSwitcher.exchange(0, ordering: .relaxed) != 0 {
            sampled.answered = sampled.requests &- 1
        }
        Randomness.seed()
    }

    private static func switchSampling(rate: UInt64, guardRate: UInt64) {
        var rate = rate
        var guardRate = guardRate
        if rate | guardRate != 0, !SampleTables.place() {
            rate = 0
            guardRate = 0
        }
        if guardRate != 0, !GuardedBlocks.prepare(rate: guardRate) { guardRate = 0 }
        let isOn = rate | guardRate != 0
        if isOn {
            for number in 1..<SizeClass.count {
                let size = Double(sizeClasses[number].pointee.size)
                #if PERCOLATE_REFILL_SAMPLES
                    // Each refill stands for its whole batch: unbiased for the process, and wrong
                    // for its sites.
                    let batch = Double(sizeClasses[number].pointee.batch)
                    var perBatch = Countdown.rate(size: size * batch, rate: rate, guardRate: guardRate)
                    perBatch.weight *= batch
                    Countdown.rates[number].pointee = perBatch
                #else
                    Countdown.rates[number].pointee = Countdown.rate(size: size, rate: rate, guardRate: guardRate)
                #endif
            }
            Countdown.startAll()
        }
        let held = arenaLock.acquire() == .entered
        sampled.rate = rate
        sampled.guard_rate = guardRate
        sampled.changed = percolate_nanoseconds()
        Countdown.state.pointee.takesAll = rate == 1 || guardRate == 1
        Countdown.state.pointee.isOn = isOn
        publishFront()
        if held { arenaLock.release() }
    }

    /// The mean number of bytes between samples that the options ask for; 0 for none.
    static var meanAtStart: UInt64 {
        let isUsed = options.leaks || options.profile != nil
        return options.sampleRate == 0 && isUsed ? UInt64(PERCOLATE_SAMPLE_RATE) : UInt64(options.sampleRate)
    }

    /// What the options say, at start.
    static func startSampling() {
        let rate = meanAtStart
        if options.leaks { LeakReport.begin() }
        guard rate != 0 || options.guardRate != 0 else { return }
        if !setSampling(rate: rate, guardRate: UInt64(options.guardRate)) {
            var line = TextLine()
            line.append("percolate: no memory for samples: blocks are neither sampled nor guarded\n")
            _ = line.write(to: 2)
        }
    }

    /// A block for a request that comes through the slow path, if it is to be a sample or guarded;
    /// 0 otherwise.
    ///
    /// - Parameter sizeClass: 0 for a large block, which is only guarded here: a large sample is an
    ///   ordinary block.
    @inline(never)
    static func allocateSampled(_ size: Int, alignment: Int, sizeClass: Int, zeroed: Bool) -> UInt {
        let choice = sizeClass != 0 ? Sampling.choose(sizeClass) : Sampling.chooseLarge(size)
        guard !choice.isPlain else { return 0 }
        let block: UInt
        if sizeClass != 0 || choice.isGuarded {
            block = Sampling.allocate(size, alignment: alignment, sizeClass: sizeClass, choice)
        } else {
            block = 0
        }
        if block != 0 {
            if zeroed { percolate_zero(block, size) }
            return block
        }
        guard sizeClass == 0, choice.weight > 0 else { return 0 }
        let large = allocateLarge(size, alignment: alignment, zeroed: zeroed)
        if large != 0, !Emergency.owns(large) { Sampling.mark(large, size: size, weight: choice.weight) }
        return large
    }

    /// The fast path popped `block`, and met the expired countdown of `sizeClass` in `slab`.
    /// Returns the block, or the sample in its place.
    ///
    /// - Parameter isFirst: whether the countdown expired by this pop, which is the candidate.
    ///   Otherwise one did before whose thread has not come here yet: it may have been preempted.
    ///   Then this block was not counted, and is tried by itself.
    static func considerSample(_ block: UInt, size: Int, sizeClass: Int, slab: Slab, isFirst: Bool) -> UInt {
        Countdown.restart(slab, sizeClass)
        guard Countdown.isOn else { return block }
        let choice = isFirst ? Sampling.chooseCandidate(sizeClass) : Sampling.choose(sizeClass)
        guard !choice.isPlain else { return block }
        let sample = Sampling.allocate(size, alignment: 16, sizeClass: sizeClass, choice)
        guard sample != 0 else { return block }
        FrontEnd.free(UInt64(block), sizeClass)
        return sample
    }

    /// Frees a block on a page without a published class.
    @inline(never)
    static func freeUnpublished(_ address: UInt, expectedSize: Int = -1) {
        let page = Middle.page(of: address)
        let sizeClass = Middle.sampledClass(ofPage: page)
        if sizeClass != 0 {
            guard Samples.end(at: address) else { return Refusal.free(address) }
            return FrontEnd.freeAround(address, sizeClass)
        }
        let id = spans.span(of: page)
        if id != 0, spans[id].pointee.isSampled, arena.address(page) == address {
            guard Samples.end(at: address) else { return Refusal.free(address) }
            spans[id].pointee.isSampled = false
        }
        freeLarge(address, expectedSize: expectedSize)
    }

    /// `resizeLarge` for a sample, or while blocks are sampled: a block of another size counts as
    /// freed and allocated again.
    static func resizeLargeSampled(_ address: UInt, to size: Int, mayMove: Bool = true) -> UInt {
        let id = largeSpan(at: address)
        let before = usableLargeSize(id)
        var record: UInt32 = 0
        if spans[id].pointee.isSampled {
            switch Samples.take(address) {
            case .record(let number): record = number
            case .none: break
            case .refused: return 0
            }
            spans[id].pointee.isSampled = false
        }
        let result = resizeLarge(address, to: size, mayMove: mayMove)
        let isSame = result == 0 || result == address && usableLargeSize(largeSpan(at: address)) == before
        if isSame {
            if record != 0 {
                Samples.putBack(record)
                spans[id].pointee.isSampled = true
            }
            return result
        }
        if record != 0 { Samples.end(record) }
        if Countdown.isOn, !Emergency.owns(result) {
            let choice = Sampling.chooseLarge(size)
            if choice.weight > 0 { Sampling.mark(result, size: size, weight: choice.weight) }
        }
        return result
    }

    /// Tries a block of a fully hardened heap, which keeps what hardening does for it: a sample
    /// there is a record and nothing else, so every free looks for one. Returns the block.
    static func noteSample(_ block: UInt, _ size: Int) -> UInt {
        guard Countdown.isOn, block != 0, !Emergency.owns(block) else { return block }
        let isSmall = size <= SizeClass.largest
        let choice = isSmall ? Sampling.choose(sizeClass(ofSize: size)) : Sampling.chooseLarge(size)
        if choice.weight > 0 { _ = Sampling.note(block, size: size, weight: choice.weight) }
        return block
    }

    /// A block of a fully hardened heap is freed, which nobody else does at once. A sample stays on
    /// record with the stack of its end, until the block leaves the quarantine. Where a signal
    /// handler may not touch the records, it stays without that.
    static func noteFreed(_ found: Known) {
        guard sampled.record_count != 0 else { return }
        guard !found.isEmpty else {
            _ = Samples.end(at: found.block)
            return
        }
        guard Samples.find(found.block) != nil else { return }
        Sampling.withStack { stack in
            let depth = StackWalk.callers(into: stack, limit: Int(PERCOLATE_SAMPLE_FRAMES))
            Samples.markFreed(at: found.block, stack: stack, depth: depth)
        }
    }

    /// Before a block leaves the quarantine. False when that has to wait.
    static func forgetNoted(_ address: UInt) -> Bool {
        sampled.record_count == 0 || Samples.end(at: address)
    }

    /// `resizeHardened`, which counts as freeing and allocating again.
    static func resizeNotedHardened(_ address: UInt, _ size: UInt, usable: inout Int) -> UInt? {
        guard let resized = resizeHardened(address, size, usable: &usable) else { return nil }
        // A block that has to move is noted by the calls that move it.
        guard resized != 0, forgetNoted(address) else { return resized }
        return noteSample(resized, Int(min(size, UInt(largestRequest))))
    }
}
