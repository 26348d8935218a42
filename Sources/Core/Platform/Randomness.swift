import CPercolate
import Synchronization

/// Random numbers for sampling: a Weyl sequence, each value of which is mixed (Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014). Good enough for
/// statistics, no secret. Takes no lock; safe in signal handlers.
enum Randomness {
    /// Begins at a place of its own in each process and heap. In the child of a fork, that also
    /// parts its numbers from its parent's.
    static func seed() {
        let time = percolate_nanoseconds() &* 0x9e37_79b9_7f4a_7c15
        let start = percolate_random() ^ time ^ UInt64(percolate_getpid())
        platformState.pointee.randomness.store(start, ordering: .relaxed)
    }

    /// 64 random bits.
    static func next() -> UInt64 {
        let step: UInt64 = 0x9e37_79b9_7f4a_7c15
        return mix(platformState.pointee.randomness.wrappingAdd(step, ordering: .relaxed).newValue)
    }

    /// The mixing function of splitmix64.
    static func mix(_ value: UInt64) -> UInt64 {
        var word = value
        word = (word ^ word &>> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word &>> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word &>> 31
    }

    /// A number of the exponential distribution with mean 1.
    static func exponential() -> Double {
        // In (0, 1]: the logarithm of 0 has no value.
        let uniform = Double((next() &>> 11) &+ 1) * 0x1p-53
        return -naturalLogarithm(uniform)
    }
}

/// The natural logarithm of a positive, finite number, to 1e-14: the core links no mathematics
/// library.
///
/// x = 2^k m with m in [0.7, 1.4]; ln m = 2 artanh s = 2 (s + s^3/3 + s^5/5 ...) with s = (m - 1) /
/// (m + 1), at most 0.18.
func naturalLogarithm(_ value: Double) -> Double {
    let bits = value.bitPattern
    var power = Int(bits &>> 52 & 0x7ff) &- 1023
    var mantissa = Double(bitPattern: bits & 0xf_ffff_ffff_ffff | 0x3ff0_0000_0000_0000)
    if mantissa > 1.4142135623730951 {
        mantissa *= 0.5
        power &+= 1
    }
    let s = (mantissa - 1) / (mantissa + 1)
    let square = s * s
    var sum = 0.0
    var divisor = 19.0
    while divisor >= 1 {
        sum = sum * square + 1 / divisor
        divisor -= 2
    }
    return 2 * s * sum + Double(power) * 0.6931471805599453
}

/// 1 - exp(-x) for x >= 0, to 1e-14, also where x is tiny: the probability that a Poisson process
/// of x points in the mean has one.
///
/// For x up to 1/4 by the series x - x^2/2! + x^3/3! ...; beyond, 1 - (exp(-x/2^n))^(2^n) by p(2x)
/// = p(x) (2 - p(x)).
func probabilityOfAny(_ mean: Double) -> Double {
    if mean > 50 { return 1 }
    var part = mean
    var doublings = 0
    while part > 0.25 {
        part *= 0.5
        doublings &+= 1
    }
    var sum = 0.0
    var divisor = 14.0
    while divisor >= 1 {
        sum = part / divisor * (1 - sum)
        divisor -= 1
    }
    for _ in 0..<doublings { sum *= 2 - sum }
    return sum
}
