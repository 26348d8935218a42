import CPercolate
import Synchronization

/// Some free blocks of each class, of which one at random is handed out: so nobody can tell which
/// block comes next, or what will lie beside it. Takes no lock.
struct FreeBlockPool {
    private var slots = Table<Atomic<UInt64>>()

    /// Slots of a class: fewer of large blocks. A power of two.
    private static func slotCount(_ sizeClass: Int) -> Int {
        let size = SizeClass.size(ofClass: sizeClass)
        return size <= 1024 ? 32 : size <= 8192 ? 8 : 4
    }

    private static var stride: Int { 32 }

    mutating func start() -> Bool {
        let bytes = SizeClass.count &* Self.stride &* 8
        let result = percolate_mmap(
            0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
        guard result > 0 else { return false }
        slots = Table(address: UInt(result))
        return true
    }

    /// Puts a block where a random one was, and returns that one; 0 when the place was empty.
    func exchange(_ block: UInt64, _ sizeClass: Int) -> UInt64 {
        let position = Int(truncatingIfNeeded: SecretNumbers.next()) & (Self.slotCount(sizeClass) &- 1)
        return slots[sizeClass &* Self.stride &+ position].pointee.exchange(
            block, ordering: .acquiringAndReleasing)
    }

    /// Takes some block out; 0 when there is none: for when there is no memory.
    func take(_ sizeClass: Int) -> UInt64 {
        for position in 0..<Self.slotCount(sizeClass) {
            let cell = slots[sizeClass &* Self.stride &+ position]
            let block = cell.pointee.exchange(0, ordering: .acquiringAndReleasing)
            if block != 0 { return block }
        }
        return 0
    }
}
