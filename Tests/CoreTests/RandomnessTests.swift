import Foundation
import Testing

@testable import PercolateCoreHosted

/// The mathematics of sampling, beside that of libm.
@Suite struct RandomnessTests {
    @Test func theLogarithmIsThatOfTheMathematicsLibrary() {
        for exponent in -60..<60 {
            for step in 0..<64 {
                let value = scalbn(1 + Double(step) / 64, exponent)
                #expect(abs(naturalLogarithm(value) - log(value)) <= 1e-14 * max(1, abs(log(value))))
            }
        }
    }

    @Test func theProbabilityIsThatOfTheMathematicsLibrary() {
        for power in -60..<50 {
            let mean = pow(1.3, Double(power))
            #expect(abs(probabilityOfAny(mean) / -expm1(-mean) - 1) <= 1e-13, "\(mean)")
        }
        #expect(probabilityOfAny(0) == 0 && probabilityOfAny(1e9) == 1)
    }

    @Test func gapsHaveTheExponentialDistribution() {
        let count = 200_000
        var sum = 0.0
        var squares = 0.0
        var beyond = 0
        for _ in 0..<count {
            let gap = Randomness.exponential()
            #expect(gap >= 0 && gap.isFinite)
            sum += gap
            squares += gap * gap
            if gap > 2 { beyond += 1 }
        }
        // Five standard deviations of each.
        #expect(abs(sum / Double(count) - 1) < 5 / Double(count).squareRoot())
        #expect(abs(squares / Double(count) - 2) < 5 * 20.0.squareRoot() / Double(count).squareRoot())
        #expect(abs(Double(beyond) / Double(count) - exp(-2)) < 5 * 0.35 / Double(count).squareRoot())
    }

    @Test(arguments: [8.0, 64, 3000, 32768], [UInt64(1), 100, 4096, 524_288, 1 << 40])
    func candidatesAndAcceptanceMakeTheProbability(size: Double, rate: UInt64) {
        let plan = Countdown.rate(size: size, rate: rate, guardRate: 0)
        let wanted = rate == 1 ? 1 : -expm1(-size / Double(rate))
        let candidates = -expm1(-plan.candidates)
        #expect(candidates >= wanted * 0.999_999 && candidates >= 1 / 2050.0)
        #expect(abs(candidates * Double(plan.samples) / 0x1p64 / wanted - 1) < 1e-9)
        #expect(abs(Double(plan.slowSamples) / 0x1p64 / wanted - 1) < 1e-6 && abs(plan.weight * wanted - 1) < 1e-9)
        #expect(plan.guarded == 0 && plan.slowGuarded == 0)
    }
}

/// Rules of frames fit their cache.
@Suite struct FrameRuleTests {
    @Test func aRuleSurvivesItsBits() throws {
        for offset in [0, 8, -8, 16, 4096, -(1 << 25), (1 << 25) - 1] {
            var rule = FrameRule(.plain)
            rule.usesFramePointer = offset & 16 != 0
            rule.frameOffset = offset
            rule.savedPointer = .atFrame
            rule.savedOffset = -offset - 1
            let packed = try #require(rule.packed)
            let back = try #require(FrameRule(packed: packed))
            #expect(back.frameOffset == offset && back.savedOffset == -offset - 1 && back.savedPointer == .atFrame)
            #expect(back.kind == .plain && back.usesFramePointer == rule.usesFramePointer)
        }
        var far = FrameRule(.plain)
        far.frameOffset = 1 << 25
        #expect(far.packed == nil)
    }
}
