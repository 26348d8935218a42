import CPercolate
import Synchronization

/// What the slow paths count. The fast path counts nothing.
///
/// Each folder declares its own counters, beside what it counts, each with a number that no other
/// has: a test reads the sources for that.
struct Counter {
    /// The counter's column in the rows.
    let column: Int

    @inline(__always)
    init(_ column: Int) { self.column = column }

    /// Columns of a row: whole cache lines, with room for more.
    static var count: Int { 32 }
}

/// Adds to the row of `index`; an index without a row counts in row 0.
@inline(__always)
func tally(_ counter: Counter, _ amount: Int = 1, at index: Int) {
    let rows = platformState.pointee.counterRows
    guard rows.address != 0 else { return }
    let row = index >= 0 && index < platformState.pointee.counterRowCount ? index : 0
    let cell = rows[row &* Counter.count &+ counter.column]
    _ = cell.pointee.wrappingAdd(UInt64(truncatingIfNeeded: amount), ordering: .relaxed)
}

/// The sum over all rows, exact once the process is quiet.
func total(_ counter: Counter) -> UInt64 {
    var sum: UInt64 = 0
    let rows = platformState.pointee.counterRows
    for row in 0..<platformState.pointee.counterRowCount {
        sum &+= rows[row &* Counter.count &+ counter.column].pointee.load(ordering: .relaxed)
    }
    return sum
}
