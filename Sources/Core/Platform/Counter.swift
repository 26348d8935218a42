import CPercolate
import Synchronization

/// What the slow paths count. The fast path counts nothing.
enum Counter: Int {
    case refills, refilledObjects
    case drains, drainedObjects
    case steals, stolenObjects
    case capacityChanges
    case vectorsLocal, vectorsRemote
    case sectionsAborted
    case gatesClosedLocal, gatesClosedRemote
    case largeAllocations, largeFrees
    /// Blocks that the middle tier gave one at a time, around the caches.
    case directAllocations, directFrees
    case emergencyAllocations
    /// Bytes of a fully hardened heap's blocks that the program does not have: canaries and guard
    /// pages, and blocks that wait, to be handed out or to leave the quarantine. Of small blocks,
    /// and of large ones.
    case withheldBytes, withheldLargeBytes

    static var count: Int { 32 }
}

/// Adds to the row of `index`; an index without a row counts in row 0.
@inline(__always)
func tally(_ counter: Counter, _ amount: Int = 1, at index: Int) {
    let rows = platformState.pointee.counterRows
    guard rows.address != 0 else { return }
    let row = index >= 0 && index < platformState.pointee.counterRowCount ? index : 0
    let cell = rows[row &* Counter.count &+ counter.rawValue]
    _ = cell.pointee.wrappingAdd(UInt64(truncatingIfNeeded: amount), ordering: .relaxed)
}

/// The sum over all rows, exact once the process is quiet.
func total(_ counter: Counter) -> UInt64 {
    var sum: UInt64 = 0
    let rows = platformState.pointee.counterRows
    for row in 0..<platformState.pointee.counterRowCount {
        sum &+= rows[row &* Counter.count &+ counter.rawValue].pointee.load(ordering: .relaxed)
    }
    return sum
}
