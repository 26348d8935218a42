/// What a span is for.
struct SpanRequest {
    var pages: Int
    /// How many neighbouring spans of so many pages are of use: as many as there is room for are
    /// made of one run.
    var most = 1
    /// The first page's number is a multiple of it.
    var alignment = 1
    var kind = Span.Kind.large
    var sizeClass = 0
    /// Bytes of each of the span's blocks, 0 for one large block: for tracers.
    var blockSize = 0
    /// Whether the kernel may be asked for more pages.
    var isGrowing = true
    /// Whether the fast path of `free` sees the size class of the pages.
    var isPublished = true
}
