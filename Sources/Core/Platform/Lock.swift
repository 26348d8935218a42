import CPercolate
import Synchronization

/// A mutual exclusion lock that knows its owner.
///
/// The word is 0 when free, else the owner's thread pointer with three flags in its low bits. Knowing the owner settles the two
/// cases in which waiting would be for ever:
///
/// - A signal handler interrupted the owner inside the critical section. The protected state is half changed: `acquire` says no, and
///   the caller serves the handler from elsewhere (the emergency region, the list of deferred frees).
/// - The owner is forking. Its prepare handler took every lock at rest, and the handlers of other libraries, which run
///   after ours, allocate. The state is whole: `acquire` passes the owner through. The flag `atRest` tells the two apart: a pass
///   turns it into `passing` for as long as the owner is inside, so a signal handler in there is refused like any other, and
///   `release` turns it back. A lock that was free when a handler of the forking thread took it is free again afterwards: kept, it
///   would be held against the lock order while the thread still waits for others.
///
/// Zero bytes are a free lock. Waiting sleeps on the low half of the word (futex(2)). Safe in signal handlers.
struct Lock {
    private let word: UnsafeMutablePointer<Atomic<UInt>>

    /// The lock whose word is at `address`, in memory that outlives every use.
    @inline(__always)
    init(at address: UInt) { word = pointer(address) }

    private static var contended: UInt { 1 }
    private static var atRest: UInt { 2 }
    private static var passing: UInt { 4 }
    private static var flags: UInt { 7 }

    /// Waits until the calling thread owns the lock. False, without waiting, when the calling thread is inside already, or when it is a
    /// signal handler that must not wait for this lock (`LockOrder`).
    /// Or, with `givesUp`, when its owner is inside fork and does not come out (`StuckFork`).
    @inline(__always)
    func acquire(givesUp: Bool = true) -> Bool {
        let me = percolate_thread_pointer()
        if word.pointee.compareExchange(expected: 0, desired: me, ordering: .acquiring).exchanged { return true }
        return acquireContended(me, givesUp: givesUp)
    }

    /// Takes the lock if it is free now. Never waits.
    func tryAcquire() -> Bool {
        let me = percolate_thread_pointer()
        let (exchanged, seen) = word.pointee.compareExchange(expected: 0, desired: me, ordering: .acquiring)
        return exchanged || passAtRest(seen, me)
    }

    /// Takes the lock if it is free now, on behalf of a thread that has slept in `awaitRelease`: others may sleep there
    /// still, and the release must wake one of them.
    func tryAcquire(hasWaited: Bool) -> Bool {
        guard hasWaited else { return tryAcquire() }
        let me = percolate_thread_pointer() | Self.contended
        return word.pointee.compareExchange(expected: 0, desired: me, ordering: .acquiring).exchanged
    }

    /// Waits until the lock may be free, and does not take it: for those who take it only with signals blocked, and wait
    /// with signals open. A signal handler may leave by a jump and never take what it was woken for, so a sleep
    /// ends by itself after some milliseconds.
    func awaitRelease() {
        for _ in 0..<Self.spinLimit {
            if word.pointee.load(ordering: .relaxed) == 0 { return }
            percolate_pause()
        }
        let seen = word.pointee.load(ordering: .relaxed)
        guard seen != 0 else { return }
        if seen & Self.contended == 0 {
            let wanted = seen | Self.contended
            guard word.pointee.compareExchange(expected: seen, desired: wanted, ordering: .relaxed).exchanged else {
                return
            }
        }
        _ = percolate_futex_wait_for(futex, UInt32(truncatingIfNeeded: seen | Self.contended), Self.sleepMilliseconds)
    }

    /// Gives the lock back, or leaves it at rest where it was.
    @inline(__always)
    func release() {
        if word.pointee.load(ordering: .relaxed) & Self.passing != 0 {
            return exchangeFlag(Self.passing, for: Self.atRest)
        }
        wakeIfContended(word.pointee.exchange(0, ordering: .releasing))
    }

    /// Before fork: takes the lock and leaves it at rest. A lock that the calling thread is inside of, in a signal handler that forks,
    /// stays as it is.
    func holdForFork() {
        let me = percolate_thread_pointer()
        let isFree = word.pointee.compareExchange(expected: 0, desired: me, ordering: .acquiring).exchanged
        guard isFree || acquireContended(me, isForking: true, givesUp: false) else { return }
        if word.pointee.load(ordering: .relaxed) & Self.passing != 0 {
            exchangeFlag(Self.passing, for: Self.atRest)
        } else {
            _ = word.pointee.bitwiseOr(Self.atRest, ordering: .relaxed)
        }
    }

    /// After fork, in the parent: frees the lock if it is at rest, and wakes a waiter.
    func releaseAfterFork() {
        let rest = percolate_thread_pointer() | Self.atRest
        var seen = word.pointee.load(ordering: .relaxed)
        while seen & ~Self.contended == rest {
            let (exchanged, original) = word.pointee.compareExchange(expected: seen, desired: 0, ordering: .releasing)
            if exchanged { return wakeIfContended(seen) }
            seen = original
        }
    }

    /// After fork, in the child: whoever owned or awaited the lock does not exist here, but for the frame that the forking signal
    /// handler interrupted.
    ///
    /// The calling thread owns it now, so that it can repair what another thread left half changed, while signal handlers are refused.
    ///
    /// - Returns: false when that frame is inside: it stays the owner, and releases the lock.
    func takeAfterFork() -> Bool {
        let me = percolate_thread_pointer()
        let isInside = word.pointee.load(ordering: .relaxed) & ~(Self.contended | Self.passing) == me
        word.pointee.store(me, ordering: .relaxed)
        return !isInside
    }

    /// The same where there is nothing to repair: the lock is free, unless that frame is inside.
    func resetAfterFork() {
        if takeAfterFork() { release() }
    }

    /// Whether the thread with thread pointer `thread` owns the lock.
    func isOwned(by thread: UInt) -> Bool { word.pointee.load(ordering: .relaxed) & ~Self.flags == thread }

    private func wakeIfContended(_ old: UInt) {
        if old & Self.contended != 0 { _ = percolate_futex_wake(futex, 1) }
    }

    /// Turns a flag of a lock that the calling thread owns into another. Others may set `contended` meanwhile.
    private func exchangeFlag(_ old: UInt, for new: UInt) {
        _ = word.pointee.bitwiseXor(old | new, ordering: .acquiringAndReleasing)
    }

    /// The owner of a lock at rest comes in.
    private func passAtRest(_ seen: UInt, _ me: UInt) -> Bool {
        guard seen & ~Self.flags == me, seen & Self.atRest != 0 else { return false }
        exchangeFlag(Self.atRest, for: Self.passing)
        return true
    }

    /// - Parameter isForking: whether the caller is the fork handler that takes all locks.
    @inline(never)
    private func acquireContended(_ me: UInt, isForking: Bool = false, givesUp: Bool) -> Bool {
        var spins = 0
        var wait = StuckFork.Wait()
        while true {
            let seen = word.pointee.load(ordering: .relaxed)
            if seen & ~Self.flags == me { return passAtRest(seen, me) }
            if seen == 0 {
                // Others may sleep: whoever had to wait hands the flag on.
                let taken = spins < Self.spinLimit ? me : me | Self.contended
                if word.pointee.compareExchange(expected: 0, desired: taken, ordering: .acquiring).exchanged {
                    return true
                }
                continue
            }
            spins &+= 1
            if spins < Self.spinLimit {
                percolate_pause()
                continue
            }
            guard lockOrder.mayWait(for: UInt(bitPattern: word), me) else { return false }
            // libc locks its list of fork handlers before and after each of them. A signal handler that interrupted a thread there must not
            // wait for a thread that forks as well: that one holds all of our locks while it wants the list.
            if seen & (Self.atRest | Self.passing) != 0, !isForking, percolate_is_inside_fork() { return false }
            if givesUp, wait.isOver(seen & ~Self.flags) { return false }
            if seen & Self.contended == 0 {
                let wanted = seen | Self.contended
                guard word.pointee.compareExchange(expected: seen, desired: wanted, ordering: .relaxed).exchanged else {
                    continue
                }
            }
            // A wake-up can be lost: to a waiter whose signal handler then waits for another lock, perhaps that of a thread that sleeps
            // here, or leaves by a jump. So no sleep is for ever.
            _ = percolate_futex_wait_for(
                futex, UInt32(truncatingIfNeeded: seen | Self.contended), Self.sleepMilliseconds)
        }
    }

    private static var spinLimit: Int { 100 }
    /// The longest sleep.
    private static var sleepMilliseconds: UInt32 { 10 }

    /// The half of the word that the kernel compares; it holds the flags, on a little-endian machine.
    private var futex: UnsafeMutablePointer<UInt32> { pointer(UInt(bitPattern: word)) }
}
