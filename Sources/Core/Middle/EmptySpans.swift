import CPercolate

/// Spans that became empty, or are not in a list yet: how they go back to the arena.
extension Middle {
    /// Gives the chain of empty spans back to the arena.
    static func freeEmpty(_ first: SpanID) {
        guard first != 0 else { return }
        guard arenaLock.acquire() == .entered else {
            holdChain(0)
            return Refusal.free(spans: first)
        }
        var id = first
        while id != 0 {
            let next = spans[id].pointee.next
            // What a jump loses is one span at most.
            if !Visit.isNested { percolate_this_thread().pointee.spans = next }
            let size = SizeClass.size(ofClass: Int(spans[id].pointee.sizeClass))
            freeSpanLocked(id, blockSize: size, before: next)
            id = next
        }
        unlockArenaAndRelease()
    }

    /// Notes that the calling thread has span `id` in hand, in front of the chain that it has
    /// already: where it is lost, `freeEmpty` gets the chain from its record (`Recovery`). Not in a
    /// signal handler: the record is the interrupted frame's.
    @inline(__always)
    static func hold(_ id: SpanID, before next: SpanID) {
        spans[id].pointee.next = next
        holdChain(id)
    }

    /// The same of a chain of spans, 0 for none.
    @inline(__always)
    static func holdChain(_ first: SpanID) {
        if !Visit.isNested { percolate_this_thread().pointee.spans = first }
    }

    /// Gives the spans back that a lost visit of the calling thread had in hand.
    static func freeHeld() {
        let held = percolate_this_thread().pointee.spans
        if held != 0, spans[held].pointee.kind == .small, !spans[held].pointee.isListed { freeEmpty(held) }
        holdChain(0)
    }

    /// Gives the spans back that signal handlers could not.
    static func freeDeferredSpans() {
        guard !emergencyState.pointee.deferredSpans.isEmpty else { return }
        freeEmpty(emergencyState.pointee.deferredSpans.takeAll())
    }
}
