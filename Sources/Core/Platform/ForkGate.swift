import CPercolate
import Synchronization

/// Keeps threads out of the allocator while one of them forks, so that the child finds every lock
/// free and every list whole.
///
/// A thread that enters the allocator writes its number into a slot, and clears the slot when it
/// leaves. The forking thread closes the gate and waits until every slot is empty. Either the
/// entering thread sees the closed gate, or the forking thread sees the slot: each stores before it
/// loads, sequentially consistent. `Tests/Model/fork_gate.pml` is this protocol, with each part
/// taken away once.
///
/// Slots and not one counter: the first one that a thread tries follows from its number, so that
/// threads share lines seldom; a slot says who is inside, so one whose thread ended is told from
/// one whose thread is slow.
///
/// Waiting has an end, since what is waited for may not come:
///
/// - A thread inside may wait for the forking thread: it interrupted its own visit by a signal
///   handler that forks. Then the fork waits `patienceInside`.
/// - A thread inside may be slow, or have left by a jump. Then the fork waits `patience`.
/// - libc's fork takes locks of its own after the fork handlers: of the list of streams, which
///   `fflush(NULL)` holds while a stream's write function runs, and of the name service. If the
///   owner of one of those wants to allocate, it waits at the gate for the forking thread, which
///   waits for it. So a thread that sees the forking thread use next to no CPU time for long goes
///   in (`Patience`). (The kernel's part of a fork copies page tables, and signal handlers may run
///   in between: both use CPU time.)
///
/// Going on costs only the child: a thread that is inside at the fork does not exist there, and the
/// child repairs what it left half changed, as it must after a fork that ran no handlers
/// (`Recovery`).
struct ForkGate {
    private let address: UInt

    /// The gate whose words, `PERCOLATE_FORK_GATE_LINES` cache lines of zero bytes, are at
    /// `address`.
    init(at address: UInt) { self.address = address }

    /// The process's gate.
    static var process: ForkGate { ForkGate(at: percolate_fork_gate_address()) }

    /// The number of the thread that closed the gate, 0 while it is open. The kernel compares it
    /// (futex(2)).
    private var closer: UnsafeMutablePointer<Atomic<UInt32>> { pointer(address) }
    /// How often the closer closed the gate: a signal handler may fork while its thread is inside
    /// fork. Of the closer alone.
    private var depth: UnsafeMutablePointer<UInt32> { pointer(address &+ 4) }

    private static var slotsPerLine: Int { 16 }
    private static var slotCount: Int { (Int(PERCOLATE_FORK_GATE_LINES) &- 1) &* slotsPerLine }

    @inline(__always)
    private func slot(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        pointer(address &+ 64 &+ UInt(index) &* 4)
    }

    // MARK: Entering

    /// Waits until the gate is open to the calling thread, and enters.
    @inline(__always)
    func enter(_ thread: UnsafeMutablePointer<percolate_thread>, _ visit: UnsafeMutablePointer<percolate_visit>) {
        let me = thread.pointee.number
        let hint = Int(thread.pointee.slot) &- 1
        guard hint >= 0,
            slot(hint).pointee.compareExchange(expected: 0, desired: me, ordering: .sequentiallyConsistent).exchanged,
            closer.pointee.load(ordering: .sequentiallyConsistent) == 0
        else { return enterSlowly(thread, visit) }
    }

    @inline(never)
    private func enterSlowly(
        _ thread: UnsafeMutablePointer<percolate_thread>, _ visit: UnsafeMutablePointer<percolate_visit>
    ) {
        var patience = Patience()
        while true {
            enterRegardless(thread)
            let closer = closer.pointee.load(ordering: .sequentiallyConsistent)
            if closer == 0 || closer == thread.pointee.number || patience.isOver(closer) { return }
            leave(thread)
            // A signal handler that comes while the thread waits has interrupted nothing.
            thread.pointee.outermost = nil
            _ = percolate_futex_wait_for(pointer(address), closer, Self.sleepMilliseconds)
            thread.pointee.outermost = visit
        }
    }

    /// Enters whether or not the gate is open.
    func enterRegardless(_ thread: UnsafeMutablePointer<percolate_thread>) {
        let me = thread.pointee.number
        let first =
            thread.pointee.slot > 0 ? Int(thread.pointee.slot) &- 1 : Int(me) &* Self.slotsPerLine % Self.slotCount
        if isIn(thread) { return }
        while true {
            for step in 0..<Self.slotCount {
                let index = (first &+ step) % Self.slotCount
                thread.pointee.slot = UInt32(index) &+ 1
                if slot(index).pointee.compareExchange(expected: 0, desired: me, ordering: .sequentiallyConsistent)
                    .exchanged
                {
                    return
                }
            }
            // More threads than slots are inside: one of them will leave.
            nap()
        }
    }

    /// Whether the calling thread's slot is taken by it.
    func isIn(_ thread: UnsafeMutablePointer<percolate_thread>) -> Bool {
        let index = Int(thread.pointee.slot) &- 1
        return index >= 0 && slot(index).pointee.load(ordering: .relaxed) == thread.pointee.number
    }

    @inline(__always)
    func leave(_ thread: UnsafeMutablePointer<percolate_thread>) {
        let index = Int(thread.pointee.slot) &- 1
        if index >= 0, slot(index).pointee.load(ordering: .relaxed) == thread.pointee.number {
            slot(index).pointee.store(0, ordering: .releasing)
        }
    }

    // MARK: Forking

    /// Before fork: closes the gate and waits until nobody else is inside.
    func close(_ thread: UnsafeMutablePointer<percolate_thread>) {
        let me = thread.pointee.number
        if closer.pointee.load(ordering: .relaxed) == me {
            depth.pointee &+= 1
            return
        }
        let isInside = isIn(thread)
        let limit = percolate_milliseconds() &+ (isInside ? Self.patienceInside : Self.longestFork)
        var patience = Patience()
        while true {
            let (exchanged, seen) = closer.pointee.compareExchange(
                expected: 0, desired: me, ordering: .sequentiallyConsistent)
            if exchanged { break }
            if Visit.adoptIfChild() { continue }
            // The other fork does not end. This one goes on without the gate; the child repairs
            // what it must.
            if percolate_milliseconds() > limit || patience.isOver(seen) { return }
            _ = percolate_futex_wait_for(pointer(address), seen, Self.sleepMilliseconds)
        }
        depth.pointee = 1
        awaitOthers(me, isInside ? Self.patienceInside : Self.patience)
    }

    private func awaitOthers(_ me: UInt32, _ milliseconds: UInt64) {
        var start: UInt64 = 0
        for index in 0..<Self.slotCount {
            var looks = 0
            while true {
                let seen = slot(index).pointee.load(ordering: .sequentiallyConsistent)
                if seen == 0 || seen == me { break }
                looks &+= 1
                if looks < Self.spins {
                    percolate_pause()
                    continue
                }
                if looks < 2 &* Self.spins, percolate_is_restricted() == 0 {
                    percolate_yield()
                    continue
                }
                let now = percolate_milliseconds()
                if start == 0 { start = now }
                if now &- start > milliseconds { return }
                if percolate_is_restricted() == 0, !percolate_thread_exists(Int32(bitPattern: seen)) {
                    _ = slot(index).pointee.compareExchange(expected: seen, desired: 0, ordering: .relaxed)
                }
                nap()
            }
        }
    }

    /// After fork, in the parent.
    func open(_ thread: UnsafeMutablePointer<percolate_thread>) {
        guard closer.pointee.load(ordering: .relaxed) == thread.pointee.number else { return }
        depth.pointee &-= 1
        guard depth.pointee == 0 else { return }
        closer.pointee.store(0, ordering: .sequentiallyConsistent)
        _ = percolate_futex_wake(pointer(address), Int32.max)
    }

    /// In the child, by its only thread: the gate is open, and nobody is inside but the frame that
    /// a forking signal handler interrupted.
    ///
    /// - Parameter number: the thread's own, new.
    func reset(_ thread: UnsafeMutablePointer<percolate_thread>, number: UInt32) {
        let isInside = isIn(thread)
        for index in 0..<Self.slotCount where slot(index).pointee.load(ordering: .relaxed) != 0 {
            slot(index).pointee.store(0, ordering: .relaxed)
        }
        depth.pointee = 0
        closer.pointee.store(0, ordering: .relaxed)
        if isInside { slot(Int(thread.pointee.slot) &- 1).pointee.store(number, ordering: .relaxed) }
    }

    /// Sleeps for a millisecond, by the one system call that is allowed wherever threads are.
    private func nap() { _ = percolate_futex_wait_for(pointer(address &+ 8), 0, 1) }

    private static var spins: Int { 100 }
    private static var sleepMilliseconds: UInt32 { 10 }
    /// Milliseconds that a fork waits for threads inside, and the same where the forking thread is
    /// inside itself.
    private static var patience: UInt64 { 1000 }
    private static var patienceInside: UInt64 { 2 }
    /// Milliseconds that no fork lasts.
    private static var longestFork: UInt64 { 10_000 }

    /// How a thread waits for a forking one.
    private struct Patience {
        /// Milliseconds at the first look, 0 before it, and at the last look that saw the forking
        /// thread go on.
        private var start: UInt64 = 0
        private var since: UInt64 = 0
        /// Whom the thread waits for, and its CPU time at `since`.
        private var closer: UInt32 = 0
        private var cpuTime: Int64 = 0

        /// Milliseconds after which a forking thread that does not go on counts as stuck, and the
        /// nanoseconds of CPU time that are no going on.
        private static var asleep: UInt64 { 200 }
        private static var idle: Int64 { 4_000_000 }

        /// Whether the thread must not wait longer.
        mutating func isOver(_ closer: UInt32) -> Bool {
            let isAllowed = percolate_is_restricted() == 0
            let cpuTime = isAllowed ? percolate_thread_cpu_time(Int32(bitPattern: closer)) : -1
            let now = percolate_milliseconds()
            let isFirst = start == 0 || closer != self.closer
            if isFirst {
                start = now
                self.closer = closer
            }
            // Where the kernel does not say what the thread uses, it may go on.
            if isFirst || cpuTime < 0 || cpuTime &- self.cpuTime > Self.idle {
                since = now
                self.cpuTime = cpuTime
            }
            return now &- since >= Self.asleep || now &- start >= ForkGate.longestFork
        }
    }
}
