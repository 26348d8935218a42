import Synchronization

/// The caches of one CPU: its slab, its gate, and how the slab's room is divided.
///
/// The record is apart from the slab, so that the fast path's lines hold nothing that another CPU
/// writes. All fields but `lastUsed` are guarded by the lock, the first word.
struct PerCPUCache: ~Copyable {
    private let lockWord = Atomic<UInt>(0)
    /// Address of the slab; 0 until the CPU first needs one.
    var slab: UInt64 = 0
    /// Bytes of blocks that the classes' capacities allow for.
    var capacityBytes: UInt = 0
    /// Bytes that `capacityBytes` may reach. CPUs pass budget on when they are idle.
    var budget: UInt = 0
    /// Milliseconds at which a thread last took a slow path here.
    let lastUsed = Atomic<UInt64>(0)
    /// What the headers were at the last round of stealing.
    var seenHeaders: UInt64 = 0
    /// What the headers were at the scavenger's last tick.
    var headersAtTick: UInt64 = 0
    /// The usable part of the slab's addresses.
    var memory = Reservation()
    var regions = SlabRegions()
    /// The region of each class: 1 more than the power of two of its words, 0 for none. A class
    /// that lost capacity keeps it.
    var regionPowers = InlineArray<74, UInt8>(repeating: 0)
    /// Milliseconds at which the slab was last emptied because its words had run out.
    var lastEmptied: UInt64 = 0
    /// Where the search for unneeded capacity goes on.
    var hand = 0
    /// Misses of each class since the hand passed.
    var misses = InlineArray<74, UInt8>(repeating: 0)
    /// Whether each class's last miss was an empty cache, and not a full one.
    private var missedEmpty = InlineArray<74, Bool>(repeating: false)

    /// Fills the last cache line: another CPU writes the next record.
    private var padding = InlineArray<3, UInt64>(repeating: 0)

    /// Notes a miss. Whether the one before it was of the other kind.
    mutating func noteMiss(_ sizeClass: Int, isEmpty: Bool) -> Bool {
        let isAlternation = missedEmpty[sizeClass] != isEmpty
        missedEmpty[sizeClass] = isEmpty
        return isAlternation
    }

    static var stride: Int { MemoryLayout<PerCPUCache>.stride }
}
