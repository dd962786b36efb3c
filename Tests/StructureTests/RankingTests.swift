import LinearAlgebra
import Structure
import TestSupport
import Testing

/// Rank statistics against SciPy, curves against scikit-learn; see Fixtures/PROVENANCE.md.
@Suite struct RankingTests {
  struct Reference: Decodable {
    struct Case: Decodable {
      var ratings: [[Double]]
      var ranksOfFirst: [Double]
      var concordance: Double
      var correlationOfFirstTwo: Double
    }

    struct Curve: Decodable {
      var scores: [Double]
      var isReal: [Bool]
      var averagePrecision: Double
      var thresholds: [Double]
      var precision: [Double]
      var recall: [Double]
    }

    var cases: [Case]
    var curves: [Curve]
  }

  private func reference() throws -> Reference {
    try Fixture.json("agreement/ranking.json", as: Reference.self)
  }

  @Test func ranksAgreeWithSciPy() throws {
    for one in try reference().cases {
      #expect(Ranking.ranks(one.ratings[0]).ranks == one.ranksOfFirst)
      let concordance = try #require(Ranking.concordance(one.ratings))
      #expect(abs(concordance - one.concordance) < 1e-12)
      let correlation = try #require(Ranking.correlation(one.ratings[0], one.ratings[1]))
      #expect(abs(correlation - one.correlationOfFirstTwo) < 1e-12)
    }
  }

  @Test func ranksAreUndefinedWhereNothingIsTold() {
    #expect(
      Ranking.concordance([[1, 2]]) == nil && Ranking.concordance([[1, 1], [2, 2]]) == nil)
    #expect(Ranking.correlation([1, 1, 1], [1, 2, 3]) == nil)
    #expect(Ranking.concordance([[1, 2, 3], [10, 20, 30]]) == 1)
    #expect(Ranking.concordance([[1, 2, 3], [3, 2, 1]]) == 0)
  }

  @Test func curvesAgreeWithScikitLearn() throws {
    for one in try reference().curves {
      let curve = PrecisionRecallCurve(scores: one.scores, isReal: one.isReal)
      #expect(abs(curve.averagePrecision - one.averagePrecision) < 1e-12)
      // scikit-learn ends where all real ones are found.
      let points = curve.points.prefix(one.thresholds.count)
      #expect(points.map(\.threshold) == one.thresholds)
      #expect(zip(points, one.precision).allSatisfy { abs($0.precision - $1) < 1e-12 })
      #expect(zip(points, one.recall).allSatisfy { abs($0.recall - $1) < 1e-12 })
    }
  }

  /// What no path connects cannot be selected, at any threshold.
  @Test func whatHasNoScoreIsNeverSelected() {
    let nothing = PrecisionRecallCurve(
      scores: [-.infinity, -.infinity, -.infinity], isReal: [true, true, false])
    #expect(nothing.points.isEmpty && nothing.averagePrecision == 0 && nothing.best == nil)
    let half = PrecisionRecallCurve(
      scores: [0.5, -.infinity, -.infinity], isReal: [true, true, false])
    #expect(half.points.count == 1 && half.averagePrecision == 0.5)
  }

  @Test func pairsThatCountNeitherWayLeaveTheCurveAlone() throws {
    let one = try reference().curves[0]
    let curve = PrecisionRecallCurve(scores: one.scores, isReal: one.isReal)
    let with = PrecisionRecallCurve(
      scores: [9, 0.2] + one.scores + [-9], isReal: [nil, nil] + one.isReal + [nil])
    #expect(curve == with)
  }
}
