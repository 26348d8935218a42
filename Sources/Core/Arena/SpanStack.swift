/// Spans that wait for somebody who may take the arena's lock, which their signal handler may not.
struct SpanStack: ~Copyable {
    private let numbers: NumberStack

    @inline(__always)
    var isEmpty: Bool { numbers.isEmpty }

    /// Adds the chain of spans that begins with `chain`.
    func add(_ chain: SpanID) {
        var last = chain
        while spans[last].pointee.next != 0 { last = spans[last].pointee.next }
        numbers.add(chain, linkedAt: pinned(&spans[last].pointee.next))
    }

    /// The chain of all of them.
    func takeAll() -> SpanID { numbers.takeAll() }
}
