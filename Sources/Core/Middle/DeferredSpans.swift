import CPercolate
import Synchronization

/// Empty spans that signal handlers could not give back to the arena. The next visit that is no handler's gives them back.
///
/// A stack without a lock, linked through the records: pushes race with pushes, and one exchange takes everything.
enum DeferredSpans {
    /// Adds the chain of spans that begins with `first`.
    static func add(_ first: SpanID) {
        var last = first
        while spans[last].pointee.next != 0 { last = spans[last].pointee.next }
        var seen = middleState.pointee.deferredSpans.load(ordering: .relaxed)
        while true {
            spans[last].pointee.next = seen
            let (exchanged, original) = middleState.pointee.deferredSpans.compareExchange(
                expected: seen, desired: first, ordering: .releasing)
            if exchanged { return }
            seen = original
        }
    }

    @inline(__always)
    static var isEmpty: Bool { middleState.pointee.deferredSpans.load(ordering: .relaxed) == 0 }

    /// The chain of all of them.
    static func takeAll() -> SpanID {
        middleState.pointee.deferredSpans.exchange(0, ordering: .acquiring)
    }
}
