import CPercolate
import Synchronization

/// Numbers that nobody outside the process can guess, and that differ from call to call.
enum SecretNumbers {
    /// The mixing function of splitmix64, of a count and the kernel's random bits.
    static func next() -> UInt64 {
        let step: UInt64 = 0x9e37_79b9_7f4a_7c15
        let count = hardenedState.pointee.secrets.wrappingAdd(step, ordering: .relaxed).newValue
        return mix(percolate_random() &+ count)
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var word = value
        word = (word ^ word &>> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word &>> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word &>> 31
    }
}
