import CPercolate
import Synchronization

/// Spans that wait for somebody who may take the arena's lock, which their signal handler may not.
///
/// A stack without a lock, linked through the records: pushes race with pushes, and one exchange
/// takes everything.
struct SpanStack: ~Copyable {
    private let first: Atomic<SpanID>

    @inline(__always)
    var isEmpty: Bool { first.load(ordering: .relaxed) == 0 }

    /// Adds the chain of spans that begins with `chain`.
    func add(_ chain: SpanID) {
        // The last of the chain has none behind it, as it is to be where the stack is empty.
        let (isFirst, _) = first.compareExchange(expected: 0, desired: chain, ordering: .releasing)
        guard !isFirst else { return }
        var last = chain
        while spans[last].pointee.next != 0 { last = spans[last].pointee.next }
        var seen = first.load(ordering: .relaxed)
        while true {
            spans[last].pointee.next = seen
            let (exchanged, original) = first.compareExchange(
                expected: seen, desired: chain, ordering: .releasing)
            if exchanged { return }
            seen = original
        }
    }

    /// The chain of all of them.
    func takeAll() -> SpanID { first.exchange(0, ordering: .acquiring) }
}
