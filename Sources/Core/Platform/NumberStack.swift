import Synchronization

/// Numbers of records that wait for somebody whom a lock admits, which their owner was not.
///
/// A stack without a lock, linked through the records: pushes race with pushes, and one exchange
/// takes everything, so no record can come back while somebody still looks at it.
struct NumberStack: ~Copyable {
    /// 0 for none.
    private let first: Atomic<UInt32>

    @inline(__always)
    var isEmpty: Bool { first.load(ordering: .relaxed) == 0 }

    /// Adds a chain of records.
    ///
    /// - Parameters:
    ///   - number: the first one's.
    ///   - link: where the last one keeps the number of the one behind it.
    func add(_ number: UInt32, linkedAt link: UnsafeMutablePointer<UInt32>) {
        var seen = first.load(ordering: .relaxed)
        while true {
            link.pointee = seen
            let (exchanged, original) = first.compareExchange(
                expected: seen, desired: number, ordering: .releasing)
            if exchanged { return }
            seen = original
        }
    }

    /// The first of the chain of all of them; 0 for none.
    func takeAll() -> UInt32 { first.exchange(0, ordering: .acquiring) }
}
