/// Runs of free pages in a node of the tree: at its start, the longest anywhere, and at its end. In
/// pages.
struct FreeRuns: Equatable {
    var start: UInt32 = 0
    var longest: UInt32 = 0
    var end: UInt32 = 0
    /// The longest run of pages that are free, dirty and may be released, within one chunk.
    var releasable: UInt32 = 0
}
