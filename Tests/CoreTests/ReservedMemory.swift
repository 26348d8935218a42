import CPercolate

@testable import PercolateCoreHosted

/// Addresses of a test's own: reserved on creation, unmapped with the value. What lies there is
/// committed by whoever uses it.
final class ReservedMemory {
    let address: UInt
    let size: UInt
    private let mapping: Reservation

    /// `size` bytes at a multiple of 2 MiB, as the arena's window lies.
    init?(size: UInt) {
        guard let mapping = Reservation.reserve(size + (1 << 21)) else { return nil }
        self.mapping = mapping
        self.size = size
        address = roundUp(mapping.address, 1 << 21)
    }

    deinit { _ = percolate_munmap(mapping.address, Int(mapping.size)) }
}

/// A generator whose numbers depend on the seed alone: a failure happens again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
