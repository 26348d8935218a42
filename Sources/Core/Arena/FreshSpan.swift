/// A span that is its caller's, and its pages.
struct FreshSpan {
    let id: SpanID
    let allocation: Arena.Allocation
}
