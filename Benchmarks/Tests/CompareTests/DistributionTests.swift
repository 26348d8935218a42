import Testing

@testable import Compare

@Suite struct DistributionTests {
    @Test func theMedianIsTheMiddleValueOrTheMeanOfTheTwoMiddleOnes() {
        #expect(Distribution.median([3, 1, 2]) == 2)
        #expect(Distribution.median([4, 1, 2, 3]) == 2.5)
        #expect(Distribution.median([7]) == 7)
    }

    @Test func noValuesHaveNoStatistics() {
        #expect(Distribution.median([]) == nil)
        #expect(Distribution.geometricMean([]) == nil)
    }

    @Test func quantilesLieBetweenNeighbours() {
        #expect(Distribution.quantile([0, 10, 20, 30, 40], 0.25) == 10)
        #expect(Distribution.quantile([0, 10], 0.25) == 2.5)
        #expect(Distribution.quantile([5, 1, 9], 0) == 1)
        #expect(Distribution.quantile([5, 1, 9], 1) == 9)
        #expect(Distribution.quantile([1, 2], 1.5) == nil)
    }

    @Test func halvingAndDoublingCancelInTheGeometricMean() throws {
        let mean = try #require(Distribution.geometricMean([0.5, 2, 1]))
        #expect(abs(mean - 1) < 1e-12)
        let other = try #require(Distribution.geometricMean([0.5, 0.5, 4]))
        #expect(abs(other - 1) < 1e-12)
    }

    @Test(arguments: [0.0, -1.0]) func aValueThatIsNotPositiveHasNoGeometricMean(value: Double) {
        #expect(Distribution.geometricMean([1, value]) == nil)
    }

    @Test func aRatioIsOfMediansAndItsSpreadIsOfPairs() throws {
        let ratio = try #require(Ratio(of: [0: 2, 1: 4, 2: 6], to: [0: 2, 1: 2, 2: 2]))
        #expect(ratio.value == 2)
        #expect(ratio.low == 1.5)
        #expect(ratio.high == 2.5)
    }

    @Test func roundsAreComparedWithTheirOwnRound() throws {
        // The machine is three times slower in round 1, for both: the ratio has no spread.
        let ratio = try #require(Ratio(of: [0: 1, 1: 3], to: [0: 2, 1: 6]))
        #expect(ratio == Ratio(of: [0: 1], to: [0: 2]))
        #expect(ratio.low == 0.5 && ratio.high == 0.5)
    }

    @Test func aMissingSideHasNoRatio() {
        #expect(Ratio(of: [:], to: [0: 1]) == nil)
        #expect(Ratio(of: [0: 1], to: [:]) == nil)
        #expect(Ratio(of: [0: 0], to: [0: 1]) == nil)
    }
}
