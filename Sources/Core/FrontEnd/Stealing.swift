import CPercolate
import Synchronization

/// Taking back what CPUs hold that the process has not run on lately, and emptying caches on
/// request.
///
/// Closing another CPU's gate can cost 17 us. So stealing is limited in rate and empties a whole
/// CPU at once, and unused budget, which needs no close, is taken first. A thread steals in a slow
/// path that would otherwise ask the kernel for memory.
extension FrontEnd {
    /// Milliseconds without a slow path after which a CPU counts as idle.
    private static var idleAge: UInt64 { 1000 }
    /// Least milliseconds between two rounds of stealing in the process.
    static var stealInterval: UInt64 { 100 }

    /// Budget that an idle CPU keeps.
    private static var keptBudget: UInt { 65536 }

    private static func isIdle(_ index: Int, _ now: UInt64) -> Bool {
        let last = caches[index].pointee.lastUsed.load(ordering: .relaxed)
        return now &- last > idleAge && now > last
    }

    /// Claims the next round for the calling thread. At most one thread of the process gets one in
    /// an interval.
    private static func claimRound(_ round: borrowing Atomic<UInt64>, _ now: UInt64) -> Bool {
        let last = round.load(ordering: .relaxed)
        guard now &- last >= stealInterval else { return false }
        return round.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
    }

    /// Moves unused budget of idle CPUs to `index`: capacity, no objects, no gate closed. Whether
    /// it was `bytes` or more.
    static func takeBudget(_ bytes: UInt, for index: Int) -> Bool {
        let now = percolate_milliseconds()
        guard claimRound(state.pointee.lastTaking, now) else { return false }
        var taken = state.pointee.spareBudget.exchange(0, ordering: .relaxed)
        var indexes = SlabIndexes()
        while let other = indexes.next() {
            guard other != index, isIdle(other, now) else { continue }
            let lock = gate(other).lock
            guard lock.tryAcquire() else { continue }
            let cache = caches[other]
            let kept = max(cache.pointee.capacityBytes, keptBudget)
            if cache.pointee.budget > kept {
                taken &+= cache.pointee.budget &- kept
                cache.pointee.budget = kept
            }
            lock.release()
        }
        guard taken > 0 else { return false }
        let lock = gate(index).lock
        guard lock.acquire() == .entered else {
            state.pointee.spareBudget.wrappingAdd(taken, ordering: .relaxed)
            return false
        }
        caches[index].pointee.budget &+= taken
        lock.release()
        return taken >= bytes
    }

    /// Empties the caches of idle CPUs into the middle tier. Whether there was anything.
    static func stealFromIdle(_ index: Int, _ now: UInt64) -> Bool {
        guard mode == .sections, claimRound(state.pointee.lastStealing, now) else { return false }
        var stolen = 0
        var indexes = SlabIndexes()
        while let other = indexes.next() {
            guard other != index, isIdle(other, now) else { continue }
            // A CPU whose fast paths work takes no slow path: it is idle only if its caches did not
            // change since the last round. One with nothing to take is not worth a close.
            guard isUnchanged(other), holdsObjects(other) else { continue }
            let count = drainCache(other)
            if count > 0 {
                tally(.steals, at: index)
                tally(.stolenObjects, count, at: index)
                announceSteal(count, from: other, by: index)
            }
            stolen &+= count
        }
        return stolen > 0
    }

    /// Empties every cache that can be had now but that of `index`, and what rests below. Returns
    /// the number of blocks.
    static func drainAll(except index: Int = -1) -> Int {
        guard mode != .hardened, !isSuspended else { return 0 }
        var sum = 0
        var indexes = SlabIndexes()
        while let other = indexes.next() {
            if other != index, holdsObjects(other) { sum &+= drainCache(other) }
        }
        return sum &+ Middle.endRest()
    }

    /// Whether the headers are what they were when this was last asked. Asked only by whoever has
    /// the round.
    private static func isUnchanged(_ index: Int) -> Bool {
        let sum = headerSum(index)
        let same = caches[index].pointee.seenHeaders == sum
        caches[index].pointee.seenHeaders = sum
        return same
    }

    /// What tells two states of a cache's headers apart, as seen without a lock.
    private static func headerSum(_ index: Int) -> UInt64 {
        let slab = Slab(address: caches[index].pointee.slab)
        var sum: UInt64 = 0
        for sizeClass in 1..<SizeClass.count {
            sum = (sum &<< 5 | sum &>> 59) ^ slab.header(sizeClass).word
        }
        return sum
    }

    /// A tick of the scavenger: empties the caches that did not change since the last one, and ends
    /// the rest of what nobody needed. Whether a cache changed or was emptied, or blocks rest.
    static func drainIdle() -> Bool {
        guard mode != .hardened, !isSuspended else { return false }
        var isChanged = false
        var indexes = SlabIndexes()
        while let index = indexes.next() {
            let sum = headerSum(index)
            if sum != caches[index].pointee.headersAtTick {
                isChanged = true
            } else if holdsObjects(index), drainCache(index) > 0 {
                isChanged = true
            }
            caches[index].pointee.headersAtTick = headerSum(index)
        }
        return Middle.endIdleRest() || isChanged
    }

    /// Whether some class of the cache has free blocks, as seen without a lock.
    private static func holdsObjects(_ index: Int) -> Bool {
        let slab = Slab(address: caches[index].pointee.slab)
        for sizeClass in 1..<SizeClass.count where slab.header(sizeClass).count > 0 { return true }
        return false
    }

    /// Empties one cache, behind its gate, and takes its capacities away. Returns the number of
    /// blocks.
    ///
    /// The gate's lock is held while the middle tier's are taken: the order gates, classes, arena,
    /// which is also that of fork.
    ///
    /// - Parameter forGood: whether the gate stays closed.
    static func drainCache(_ index: Int, forGood: Bool = false) -> Int {
        let gate = gate(index)
        guard forGood ? gate.lock.acquire() == .entered : gate.lock.tryAcquire() else { return 0 }
        defer { gate.lock.release() }
        let slab = Slab(address: caches[index].pointee.slab)
        // Without sections gates are closed, and the lock is enough.
        let isOpen = gate.value != closed
        if isOpen {
            guard gate.value == slab.address, gate.close(sequences) != nil else { return 0 }
        }
        let sum = empty(index, slab)
        if isOpen, !forGood { gate.open(slab.address) }
        return sum
    }

    /// Makes the cache of `index` whole after a thread was lost that had its lock. The caller has
    /// the lock.
    ///
    /// While the gate is open, every change was one section or had not begun, and a region that the
    /// thread had in hand is lost until the slab is emptied. A closed gate says that the thread was
    /// emptying the slab, or had just closed it: that is carried out.
    static func repair(_ index: Int) {
        let cache = caches[index]
        guard cache.pointee.slab != 0, mode != .hardened else { return }
        let slab = Slab(address: cache.pointee.slab)
        let gate = gate(index)
        if mode == .sections, gate.value == slab.address {
            var bytes: UInt = 0
            for sizeClass in 1..<SizeClass.count {
                bytes &+= UInt(slab.header(sizeClass).capacity &* SizeClass.size(ofClass: sizeClass))
            }
            cache.pointee.capacityBytes = bytes
            return
        }
        // The thread may have been lost between its store and the fence. Where there is no fence,
        // it had closed the gate by a section.
        if mode == .sections { _ = sequences.fence(cpu: gate.indexOffset == sequences.cpuOffset ? index : nil) }
        _ = empty(index, slab)
        if mode == .sections { gate.open(slab.address) }
    }

    /// Empties a slab that the caller owns, and takes its capacities away. Returns the number of
    /// blocks.
    private static func empty(_ index: Int, _ slab: Slab) -> Int {
        let cache = caches[index]
        var sum = 0
        withBatch { start in
            for sizeClass in 1..<SizeClass.count {
                sum &+= CachedClass(sizeClass, at: index, in: slab).drain(through: start)
                cache.pointee.misses[sizeClass] = 0
                cache.pointee.regionPowers[sizeClass] = 0
            }
        }
        cache.pointee.capacityBytes = 0
        cache.pointee.regions.clear()
        return sum
    }
}
