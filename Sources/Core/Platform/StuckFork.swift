import CPercolate
import Synchronization

/// The end of waiting for a thread that is inside fork and cannot come out.
///
/// The forking thread holds all locks, at rest, while libc's fork takes locks of libc's own: of the list of streams, which
/// `fflush(NULL)` holds while a stream's write function runs, and of the name service. If the owner of one of those wants to allocate,
/// the two wait for each other. Nothing else in there sleeps: the kernel's part copies page tables. So a thread that
/// waits, and finds the forking thread asleep again and again, is served as a signal handler is that must not wait, and so is everybody
/// until that fork ends. One fork at a time holds the locks.
///
/// Taking libc's locks before ours would be no way out: the handler of a signal that interrupted the owner of a lock of ours may fork, and
/// want the lock of the streams for that, which somebody who waits for our lock would have.
enum StuckFork {
    /// The thread that holds all locks, by its kernel number; 0 for none.
    private static let thread = Atomic<Int32>(0)
    /// Forks that ended, and the one that is stuck: the number of those that had ended before it.
    private static let ended = Atomic<UInt>(0)
    private static let stuck = Atomic<UInt>(.max)

    /// How a thread waits for a forking one.
    struct Wait {
        private var sleeps = 0
        private var sightings = 0

        /// Sleeps before it looks, and sightings of the forking thread asleep, one for each sleep, that are no chance any more.
        private static var unsuspecting: Int { 3 }
        private static var enough: Int { 3 }
        /// Sleeps that no fork lasts, where /proc does not say: a fork copies page tables, up to 10 ms for each GiB.
        private static var most: Int { 6000 }

        /// Whether the thread must not sleep once more.
        mutating func isOver() -> Bool {
            let current = ended.load(ordering: .acquiring)
            if stuck.load(ordering: .relaxed) == current { return true }
            sleeps &+= 1
            guard sleeps > Self.unsuspecting else { return false }
            let forking = thread.load(ordering: .relaxed)
            sightings = forking != 0 && percolate_thread_sleeps(forking) ? sightings &+ 1 : 0
            guard sightings >= Self.enough || sleeps > Self.most else { return false }
            stuck.store(current, ordering: .relaxed)
            return true
        }
    }

    /// In the fork handlers: the calling thread holds all locks.
    static func begin() { thread.store(Int32(truncatingIfNeeded: percolate_gettid()), ordering: .relaxed) }

    /// In the fork handlers, after a fork, before the locks are free.
    static func end() {
        thread.store(0, ordering: .relaxed)
        ended.wrappingAdd(1, ordering: .releasing)
    }
}
