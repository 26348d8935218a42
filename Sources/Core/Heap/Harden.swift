import CPercolate

/// Making the process stricter: at start, by the option, or at any time.
extension Heap {
    /// At start, before anybody else is here. Where the addresses are short that the level needs,
    /// the next lower one.
    static func harden(_ wanted: HardeningLevel) {
        var level = wanted
        while level != .off, !Hardening.prepare(for: level, quarantine: options.quarantine) {
            level = level == .full ? .basic : .off
        }
        if level != wanted { complainOfLevel(level) }
        Hardening.raise(to: level)
        if level != .off { FrontEnd.makeNoSmallestBlocks() }
        if level == .full { FrontEnd.state.pointee.mode = .hardened }
    }

    private static func complainOfLevel(_ level: HardeningLevel) {
        var line = TextLine()
        line.append("percolate: too few addresses to harden the heap: ")
        line.append(level == .basic ? "hardened=basic\n" : "hardened=0\n")
        _ = line.write(to: 2)
    }

    /// At any time, from any thread but a signal handler's. What begins after it returns is
    /// checked; blocks from before are checked as far as their spans tell.
    ///
    /// First every operation goes to the middle tier, around the caches, and a fence tells all
    /// CPUs. Then the caches are emptied, for `full` behind gates that stay closed, and the level
    /// becomes visible in between: so no block that is noted as free comes out of a cache
    /// unnoticed. An operation of before that is in the slow path still looks once more
    /// (`allocateSmall`). The lock of start-up keeps other callers out, and the visit forks.
    ///
    /// - Returns: false, and nothing changed, where the kernel has no addresses for it, or where
    ///   the caches of other CPUs cannot be reached because membarrier(2) is missing.
    static func raiseHardening(to level: HardeningLevel) -> Bool {
        guard ensureStarted() else { return false }
        var visit = percolate_visit()
        Visit.begin(&visit)
        defer { Visit.end(&visit) }
        guard startLock.acquire() == .entered else { return false }
        defer { startLock.release() }
        guard level.rawValue > Hardening.level.rawValue else { return true }
        guard FrontEnd.mode != .sections || FrontEnd.sequences.canFence else { return false }
        guard growthLock.acquire() == .entered else { return false }
        let isPrepared = Hardening.prepare(for: level, quarantine: options.quarantine)
        growthLock.release()
        guard isPrepared else { return false }
        FrontEnd.makeNoSmallestBlocks()
        changeSuspensions(by: 1)
        _ = FrontEnd.sequences.fenceAll()
        if level == .full {
            FrontEnd.retire()
            Hardening.raise(to: level)
        } else {
            Hardening.raise(to: level)
            FrontEnd.drainAllNow()
        }
        changeSuspensions(by: -1)
        Observation.publish()
        return true
    }
}
