import CPercolate
import Synchronization

/// Numbers that nobody outside the process can guess, and that differ from call to call.
enum SecretNumbers {
    /// A mix of a count and the kernel's random bits.
    static func next() -> UInt64 {
        let step: UInt64 = 0x9e37_79b9_7f4a_7c15
        let count = hardenedState.pointee.secrets.wrappingAdd(step, ordering: .relaxed).newValue
        return Randomness.mix(percolate_random() &+ count)
    }
}
