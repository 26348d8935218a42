import CPercolate
import Synchronization

/// The end of waiting for a thread that is inside fork and cannot come out.
///
/// The forking thread holds all locks while libc's fork takes locks of libc's own: of the list of streams, which `fflush(NULL)`
/// holds while a stream's write function runs, and of the name service. If the owner of one of those wants to allocate, the two wait
/// for each other. So a thread that has waited, and saw the forking thread use next to no CPU time for long (the kernel's part of a fork copies
/// page tables; signal handlers may run in between), goes without the lock, as a signal handler does that must not wait. Only that
/// one operation does: whether this thread is the one that must go on, or somebody else is and the fork is only slow, is not known,
/// and memory for emergencies is short. Where there is none left, the thread waits on (`Retry`).
///
/// Taking libc's locks before ours would be no way out: the handler of a signal that interrupted the owner of a lock of ours may fork, and
/// want the lock of the streams for that, which somebody who waits for our lock would have.
enum StuckFork {
    /// The thread that holds all locks: its thread pointer and its kernel number; 0 for none. And forks that ended.
    private static let holder = Atomic<UInt>(0)
    private static let holderNumber = Atomic<Int32>(0)
    private static let ended = Atomic<UInt>(0)

    /// Whether another thread is inside fork, with all locks.
    @inline(__always)
    static var isElsewhere: Bool {
        let thread = holder.load(ordering: .relaxed)
        return thread != 0 && thread != percolate_thread_pointer()
    }

    /// Whether an allocation that was interrupted, and found no memory for emergencies, tries again.
    struct Retry {
        private var waits = percolate_given_up_waits()
        private var tries = 0

        /// Each takes 200 ms or more.
        private static var most: Int { 150 }

        /// Whether the thread gave up waiting for a fork since the last try: then it may as well wait on.
        mutating func isDue() -> Bool {
            let before = waits
            waits = percolate_given_up_waits()
            tries &+= 1
            return waits != before && tries < Self.most
        }
    }

    /// How a thread waits for a forking one.
    struct Wait {
        private var fork: UInt = 0
        /// Milliseconds at the first look at this fork, 0 before it, and at the last look that saw the forking thread go on.
        private var start: UInt64 = 0
        private var since: UInt64 = 0
        /// The forking thread's CPU time at `since`.
        private var cpuTime: Int64 = 0

        /// Milliseconds after which a forking thread that does not go on counts as stuck, the nanoseconds of CPU time that are no going
        /// on, and milliseconds that no fork lasts.
        private static var asleep: UInt64 { 200 }
        private static var idle: Int64 { 20_000_000 }
        private static var most: UInt64 { 60_000 }

        /// Whether the thread must not wait longer for the lock whose owner has the thread pointer `owner`.
        mutating func isOver(_ owner: UInt) -> Bool {
            guard holder.load(ordering: .relaxed) == owner else {
                start = 0
                return false
            }
            let fork = ended.load(ordering: .relaxed)
            let cpuTime = percolate_thread_cpu_time(holderNumber.load(ordering: .relaxed))
            let now = percolate_milliseconds()
            let isFirst = start == 0 || fork != self.fork
            if isFirst {
                start = now
                self.fork = fork
            }
            // Where the kernel does not say what the thread uses, it may go on.
            if isFirst || cpuTime < 0 || cpuTime &- self.cpuTime > Self.idle {
                since = now
                self.cpuTime = cpuTime
            }
            guard now &- since >= Self.asleep || now &- start >= Self.most else { return false }
            percolate_give_up_wait()
            return true
        }
    }

    /// In the fork handlers: the calling thread holds all locks.
    static func begin() {
        holderNumber.store(Int32(truncatingIfNeeded: percolate_gettid()), ordering: .relaxed)
        holder.store(percolate_thread_pointer(), ordering: .relaxed)
    }

    /// In the child.
    static func forget() { holder.store(0, ordering: .relaxed) }

    /// In the parent's fork handler, before the locks are free. A signal handler may have forked in between, and another thread may hold
    /// the locks since.
    static func end() {
        let me = percolate_thread_pointer()
        if holder.compareExchange(expected: me, desired: 0, ordering: .relaxed).exchanged {
            ended.wrappingAdd(1, ordering: .relaxed)
        }
    }
}
