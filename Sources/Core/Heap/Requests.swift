import CPercolate
import Synchronization

/// What observers ask for by writing words of `percolate_observed_heap` and `percolate_samples`,
/// seen by the next slow path of any thread and by the scavenger's ticks. A process that does
/// neither serves nothing: nobody waits for an observer, and nothing runs for one.
///
/// An observer also sets the fast path's limits to 0, so that the next operation takes a slow path
/// although the caches would have served it. A limit of 0 is allowed at any time: it is what
/// start-up, vfork and counting scopes use. Whoever finds limits that are not those last published
/// publishes them again. A store of the observer that comes late, after that, costs one more slow
/// path and nothing else.
enum Requests {
    struct State: ~Copyable {
        /// The limits of the fast path as `publishFront` left them. Guarded by the arena's lock,
        /// read without: a reader that finds only some of the stores publishes once more than it
        /// had to.
        var publishedLimits: (UInt64, UInt64, UInt64, UInt64)
        /// The process in which a thread serves requests; 0 for none. A child of a fork finds its
        /// parent's id, and takes it for none.
        let server: Atomic<Int>
    }

    @inline(__always)
    static var state: UnsafeMutablePointer<State> { pinned(&heapState.pointee.requests) }

    @inline(__always)
    static var limits: (UInt64, UInt64, UInt64, UInt64) {
        (
            front.limit, front.limit_mm_cid, front.limit_sampled,
            front.limit_sampled_mm_cid
        )
    }

    @inline(__always)
    static func serve() {
        let isAsked = observed.trim_asked > observed.trim_done
        if isAsked || !areLimitsPublished || Heap.isSamplingAsked { serveNow() }
    }

    @inline(__always)
    private static var areLimitsPublished: Bool { limits == state.pointee.publishedLimits }

    @inline(never)
    private static func serveNow() {
        // A signal handler that interrupted the allocator leaves it to the next call.
        guard !Visit.isNested else { return }
        if !areLimitsPublished, arenaLock.acquire() == .entered {
            publishFront()
            arenaLock.release()
        }
        if Heap.isSamplingAsked { Heap.answerSampling() }
        let asked = observed.trim_asked
        guard asked > observed.trim_done else { return }
        let process = percolate_getpid()
        let other = state.pointee.server.load(ordering: .relaxed)
        guard other != process,
            state.pointee.server.compareExchange(
                expected: other, desired: process, ordering: .acquiring
            ).exchanged
        else { return }
        _ = Heap.trim()
        observed.trim_done = asked
        state.pointee.server.store(0, ordering: .releasing)
    }
}
