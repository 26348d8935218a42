import CPercolate
import Synchronization

/// What came of asking for a lock.
enum Admission {
    /// The calling thread owns the lock now.
    case entered
    /// The calling thread is inside already: it is a signal handler that interrupted the owner.
    /// What the lock guards is half changed.
    case reentrant
    /// The calling thread is a signal handler that interrupted the allocator, and somebody else has
    /// the lock. It must not wait: that owner may wait for the frame that the handler interrupted.
    case outOfOrder
}

/// A mutual exclusion lock that knows its owner.
///
/// The word is 0 when free, else the owner's thread number, and `contended` while somebody may
/// sleep. Zero bytes are a free lock. Waiting sleeps on the low half of the word (futex(2)). Safe
/// in signal handlers.
///
/// No deadlock. The allocator takes locks in the order start, slab gates, classes, growth, arena,
/// counting, sampling: a thread that waits for one holds only earlier ones, so no circle of waiters
/// closes. A signal handler that interrupted the allocator breaks the order, so it waits for no
/// lock longer than one sleep. The locks of public gates come last: their owners have signals
/// blocked and want no other lock.
///
/// No lock is lost: a waiter finds out that an owner can never release, and repairs what the lock
/// guards (`Recovery`).
///
/// - A thread that left the allocator by a jump frees its locks at its next visit (`Visit`).
/// - For a thread that ended inside, a waiter asks after some sleeps whether the owner exists.
/// - A thread of the parent, in a child of a fork that ran no handlers, is dropped when the child
///   is adopted.
///
/// An owner is not preempted at once where the kernel can let it go on
/// (`<percolate/time_slice.h>`): it asks before it takes the lock, and takes the request back when
/// it does not get it.
struct Lock {
    private let word: UnsafeMutablePointer<Atomic<UInt>>

    /// The lock whose word is at `address`, in memory that outlives every use.
    @inline(__always)
    init(at address: UInt) { word = pointer(address) }

    var address: UInt { UInt(bitPattern: word) }

    private static var contended: UInt { 1 << 31 }

    /// Waits until the calling thread owns the lock, where it may.
    @inline(__always)
    func acquire() -> Admission {
        let me = UInt(percolate_thread_number())
        percolate_begin_hold()
        if word.pointee.compareExchange(expected: 0, desired: me, ordering: .acquiring).exchanged { return .entered }
        return acquireContended(me)
    }

    /// Takes the lock if it is free now. Never waits.
    func tryAcquire() -> Bool { take(as: UInt(percolate_thread_number())) }

    private func take(as owner: UInt) -> Bool {
        percolate_begin_hold()
        if word.pointee.compareExchange(expected: 0, desired: owner, ordering: .acquiring).exchanged { return true }
        percolate_end_hold()
        return false
    }

    /// Takes the lock if it is free now, on behalf of a thread that has slept in `awaitRelease`:
    /// others may sleep there still, and the release must wake one of them.
    func tryAcquire(hasWaited: Bool) -> Bool {
        guard hasWaited else { return tryAcquire() }
        return take(as: UInt(percolate_thread_number()) | Self.contended)
    }

    /// Waits until the lock may be free, and does not take it: for those who take it only with
    /// signals blocked, and wait with signals open. A signal handler may leave by a jump and never
    /// take what it was woken for, so a sleep ends by itself after some milliseconds.
    func awaitRelease() {
        for _ in 0..<Self.spinLimit {
            if word.pointee.load(ordering: .relaxed) == 0 { return }
            percolate_pause()
        }
        let seen = word.pointee.load(ordering: .relaxed)
        if seen != 0 { sleep(while: seen) }
    }

    /// Gives the lock back.
    ///
    /// In an extended slice the call that wakes a sleeper gives the CPU up, as every call would:
    /// the lock is free by then, and whoever does not sleep gets it.
    @inline(__always)
    func release() {
        let old = word.pointee.exchange(0, ordering: .releasing)
        if old & Self.contended != 0 { _ = percolate_futex_wake(futex, 1) }
        percolate_end_hold()
    }

    /// The number of the thread that owns the lock, 0 when it is free.
    var owner: UInt32 { UInt32(truncatingIfNeeded: word.pointee.load(ordering: .relaxed) & ~Self.contended) }

    /// Makes the calling thread the owner in place of one that can never release: `Recovery` knows.
    ///
    /// - Returns: false when the lock is not that thread's any more.
    func takeOver(from dead: UInt32) -> Bool {
        guard changeOwner(from: dead) else { return false }
        percolate_begin_hold()
        return true
    }

    /// Writes the calling thread's number in place of `dead`: of itself, in the parent of its
    /// process, whose holds go on.
    func changeOwner(from dead: UInt32) -> Bool {
        let me = UInt(percolate_thread_number())
        var seen = word.pointee.load(ordering: .relaxed)
        while seen & ~Self.contended == UInt(dead) {
            let (exchanged, original) = word.pointee.compareExchange(
                expected: seen, desired: me | seen & Self.contended, ordering: .acquiring)
            if exchanged { return true }
            seen = original
        }
        return false
    }

    @inline(never)
    private func acquireContended(_ me: UInt) -> Admission {
        let thread: UnsafeMutablePointer<percolate_thread> = percolate_this_thread()
        percolate_end_hold()
        var spins = 0
        while true {
            let seen = word.pointee.load(ordering: .relaxed)
            if seen & ~Self.contended == me { return .reentrant }
            if seen == 0 {
                // Other waiters may sleep: a thread that had to wait passes the flag on.
                if take(as: spins < Self.spinLimit ? me : me | Self.contended) { return .entered }
                continue
            }
            spins &+= 1
            if spins < Self.spinLimit {
                percolate_pause()
                continue
            }
            if spins > Self.spinLimit {
                if thread.pointee.nested != nil { return .outOfOrder }
                if spins % Self.sleepsToDoubt == 0, takeOverFromDead(UInt32(seen & ~Self.contended)) { return .entered }
            }
            if Visit.adoptIfChild() { continue }
            sleep(while: seen)
        }
    }

    /// Whether the owner does not exist any more, and the calling thread has its lock now,
    /// repaired.
    private func takeOverFromDead(_ owner: UInt32) -> Bool {
        // A vfork child has the parent's memory, but not its threads.
        guard percolate_is_restricted() == 0,
            percolate_process_mark.pointee == UInt32(truncatingIfNeeded: percolate_getpid()),
            !percolate_thread_exists(Int32(bitPattern: owner)), takeOver(from: owner)
        else { return false }
        percolate_repair_lock(UInt(bitPattern: word))
        return true
    }

    /// A wake-up can be lost: to a waiter that leaves by a jump out of a signal handler. So no
    /// sleep is for ever.
    private func sleep(while seen: UInt) {
        if seen & Self.contended == 0 {
            let wanted = seen | Self.contended
            guard word.pointee.compareExchange(expected: seen, desired: wanted, ordering: .relaxed).exchanged else {
                return
            }
        }
        _ = percolate_futex_wait_for(futex, UInt32(truncatingIfNeeded: seen | Self.contended), Self.sleepMilliseconds)
    }

    private static var spinLimit: Int { 100 }
    /// The longest sleep.
    private static var sleepMilliseconds: UInt32 { 10 }
    /// Sleeps after which a waiter asks whether the owner exists.
    private static var sleepsToDoubt: Int { 16 }

    /// The half of the word that the kernel compares; it holds all of it, on a little-endian
    /// machine.
    private var futex: UnsafeMutablePointer<UInt32> { pointer(UInt(bitPattern: word)) }
}
