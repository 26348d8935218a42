import CPercolate
import Synchronization

/// Freed blocks that are not used again for a while, so that a late write to one is found, and a
/// late read finds no other block's bytes. First in, first out, bounded by bytes.
///
/// Takes no lock: a ring of words, each exchanged as a whole, so that a block has one owner at any
/// moment. Safe in signal handlers. A thread that dies in a forking parent's child loses the one
/// block that it was moving.
struct QuarantineRing {
    /// Address in the low 48 bits, cost in units of `unit` above. 0 is no block.
    private var entries = Table<Atomic<UInt64>>()
    private var mask: UInt64 = 0
    private var limit = 0

    /// In front of the entries: how many were ever put in, how many taken from the end, and bytes.
    private var counters = Table<Atomic<UInt64>>()
    private var head: UnsafeMutablePointer<Atomic<UInt64>> { counters[0] }
    private var tail: UnsafeMutablePointer<Atomic<UInt64>> { counters[8] }
    private var bytes: UnsafeMutablePointer<Atomic<UInt64>> { counters[16] }

    /// Each counter has a cache line of its own.
    private static var counterBytes: Int { 192 }
    private static var unit: Int { 64 }
    private static var addressBits: UInt64 { 48 }

    mutating func start(limit: UInt) -> Bool {
        var count: UInt64 = 1024
        while count < 1 << 24, count &* UInt64(Self.unit) < UInt64(limit) { count &<<= 1 }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let result = percolate_mmap(
            0, Int(count) &* 8 &+ Self.counterBytes, PROT_READ | PROT_WRITE, flags)
        guard result > 0 else { return false }
        counters = Table(address: UInt(result))
        entries = Table(address: UInt(result) &+ UInt(Self.counterBytes))
        mask = count &- 1
        self.limit = Int(min(limit, UInt(Int.max)))
        return true
    }

    private func cost(_ entry: UInt64) -> Int { Int(entry &>> Self.addressBits) &* Self.unit }
    private func block(_ entry: UInt64) -> UInt { UInt(entry & (1 &<< Self.addressBits &- 1)) }

    /// Puts a block in that counts as `cost` bytes, a quarter of the limit at most: so the one that
    /// was freed last stays. Returns a block that had to make room for it, 0 for none.
    func put(_ address: UInt, cost wanted: Int) -> UInt {
        let units = min(max(min(wanted, limit / 4), Self.unit) / Self.unit, 0xffff)
        let entry = UInt64(address) | UInt64(units) &<< Self.addressBits
        let ticket = head.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
        let old = entries[Int(ticket & mask)].pointee.exchange(
            entry, ordering: .acquiringAndReleasing)
        let change = units &* Self.unit &- cost(old)
        bytes.pointee.wrappingAdd(UInt64(bitPattern: Int64(change)), ordering: .relaxed)
        return block(old)
    }

    /// Entries that were put in and not taken from the end.
    var count: Int {
        let head = head.pointee.load(ordering: .relaxed)
        return Int(truncatingIfNeeded: head &- min(tail.pointee.load(ordering: .relaxed), head))
    }

    private var heldBytes: Int { Int(truncatingIfNeeded: bytes.pointee.load(ordering: .relaxed)) }

    /// Takes the oldest block out while there is more than the limit, or `all`; 0 when there is
    /// none to take.
    func takeOldest(all: Bool = false) -> UInt {
        while all || heldBytes > limit {
            let tail = self.tail.pointee.load(ordering: .relaxed)
            let head = self.head.pointee.load(ordering: .relaxed)
            guard tail < head else { return 0 }
            // What the head has overtaken was taken out by `put`.
            let next = max(tail, head &- min(head, mask &+ 1))
            guard
                self.tail.pointee.compareExchange(
                    expected: tail, desired: next &+ 1, ordering: .relaxed
                ).exchanged
            else {
                continue
            }
            let entry = entries[Int(next & mask)].pointee.exchange(
                0, ordering: .acquiringAndReleasing)
            guard entry != 0 else { continue }
            bytes.pointee.wrappingSubtract(UInt64(cost(entry)), ordering: .relaxed)
            return block(entry)
        }
        return 0
    }

    /// Calls `body` with every block.
    func visit(_ body: (UInt) -> Void) {
        for index in 0..<Int(mask &+ 1) {
            let entry = entries[index].pointee.load(ordering: .acquiring)
            if entry != 0 { body(block(entry)) }
        }
    }
}
