import CPercolate
import Synchronization

/// The thread that returns the memory of a process that has threads: what stays unused goes back to
/// the kernel although nobody calls the allocator.
///
/// The C side (pthread_create's wrapper in the shared object) makes it after the program has made a
/// thread of its own: never inside malloc, and never in a child of fork whose parent had threads.
/// It has all signals blocked, holds no lock while it sleeps, and allocates nothing. While it
/// lives, slow paths leave releasing to it (`Retention`). At each tick it empties the caches of
/// CPUs whose caches did not change since the last tick, and releases pages that stayed free; when
/// two ticks in a row found nothing, it rests until a slow path wakes it. It ends when the
/// process's first thread ends before the others (pthread_exit(3) in main): the last of them ends
/// the process, and the scavenger must not be that one.
enum Scavenger {
    private static var tickMilliseconds: UInt32 { 500 }

    /// The body of the thread, until `ScavengerSleep.stop`.
    static func run() {
        setScavenged(true)
        while !ScavengerSleep.isStopping {
            ScavengerSleep.begin()
            // What happened between the last tick and `begin` ended no rest: look once more.
            if tick() { ScavengerSleep.forget() } else { ScavengerSleep.sleep() }
            var idleTicks = 0
            while idleTicks < 2, !ScavengerSleep.isStopping {
                ScavengerSleep.nap(tickMilliseconds)
                idleTicks = tick() ? 0 : idleTicks &+ 1
            }
        }
        ScavengerSleep.forget()
        setScavenged(false)
    }

    /// Whether a scavenger is wanted at all.
    static var isWanted: Bool {
        Heap.phase == .ready && Heap.options.background && Heap.options.release == .prompt
    }

    /// In the child of a fork: the scavenger is not here.
    static func forget() {
        arena.retention.isScavenged = false
        ScavengerSleep.forget()
    }

    private static func setScavenged(_ value: Bool) {
        var visit = percolate_visit()
        Visit.begin(&visit)
        defer { Visit.end(&visit) }
        guard arenaLock.acquire() == .entered else { return }
        arena.retention.isScavenged = value
        arenaLock.release()
    }

    /// Whether there was anything to do, or may be at the next tick.
    private static func tick() -> Bool {
        var visit = percolate_visit()
        Visit.begin(&visit)
        defer { Visit.end(&visit) }
        Requests.serve()
        let isCacheChanged = FrontEnd.drainIdle()
        refreshLimits()
        guard arenaLock.acquire() == .entered else { return true }
        var demand = arena.retention.tick()
        let excess = arena.limits.excess(0, inUse: arena.inUse, resident: arena.retention.resident)
        demand.pages = max(demand.pages, excess)
        let isAtRest = arena.retention.isAtRest
        arenaLock.release()
        let released = demand.pages > 0 ? release(demand) : 0
        if released > 0 { releaseMetadata() }
        return isCacheChanged || released > 0 || !isAtRest
    }
}
