/// Room between what many threads read and what changes with each operation, so that no cache line
/// has both: a line that one CPU writes is fetched again by each that reads it.
struct CacheLine {
    private var words = InlineArray<8, UInt64>(repeating: 0)
}
