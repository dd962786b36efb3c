import Evidence
import LinearAlgebra
import Testing

@Suite struct NestedComparisonTests {
  /// Two blocks by hand: rises 1 and 3 of weight 2 each.
  @Test func meansAndErrorsAreThoseOfBlocks() {
    let found = NestedComparison([
      [
        BlockTerm(block: 0, weight: 2, rise: 1, gain: 2),
        BlockTerm(block: 1, weight: 2, rise: 3, gain: 2),
      ]
    ])
    #expect(found.cost == 1 && found.worth == 0.5 && found.blocks == 2)
    // Σ(rise − cost · weight)² = 1 + 1; √(2 · 2/1)/4.
    #expect(abs(found.costError - 0.5) < 1e-15)
  }

  /// A block that two members hold out counts once.
  @Test func membersThatHoldOutTheSameAreAveraged() {
    let one = [
      BlockTerm(block: 0, weight: 1, rise: 1, gain: 1),
      BlockTerm(block: 1, weight: 1, rise: 2, gain: 3),
    ]
    #expect(NestedComparison([one, one]) == NestedComparison([one]))
    #expect(NestedComparison([one.reversed()]) == NestedComparison([one]))
  }

  @Test func nothingIsSaidOfOneBlock() {
    let found = NestedComparison([[BlockTerm(block: 3, weight: 5, rise: 1, gain: 1)]])
    #expect(found.statistic == 0 && found.costError == .infinity)
  }

  /// Fits y = b z to half of the rows and judges it by the other half, against nothing, where y is noise alone:
  /// the rise is negative on average, the gain is not, and 3 is rarely exceeded.
  @Test func noiseIsNoEffect() {
    var stream = RandomStream(seed: 1)
    var statistics: [Double] = []
    var costs: [Double] = []
    for _ in 0..<400 {
      func rows() -> [(z: Double, y: Double)] {
        (0..<400).map { _ in (stream.normal(), stream.normal()) }
      }
      let (learnt, held) = (rows(), rows())
      let slope =
        learnt.reduce(0) { $0 + $1.z * $1.y } / learnt.reduce(0) { $0 + $1.z * $1.z }
      let found = comparison(held, slope)
      statistics.append(found.statistic)
      costs.append(found.cost)
    }
    #expect(costs.mean < 0)
    #expect(abs(statistics.mean) < 0.15)
    #expect(statistics.count { $0 > 3 } <= 4)
  }

  /// With y = 0.2 z + noise the half of the gain is what z explains, 0.04.
  @Test func worthIsWhatIsExplained() {
    var stream = RandomStream(seed: 2)
    let held = (0..<40_000).map { _ -> (z: Double, y: Double) in
      let z = stream.normal()
      return (z, 0.2 * z + stream.normal())
    }
    let found = comparison(held, 0.2)
    #expect(abs(found.worth - 0.04) < 0.005 && found.statistic > 10)
  }

  private func comparison(_ held: [(z: Double, y: Double)], _ slope: Double) -> NestedComparison {
    var terms = (0..<40).map { BlockTerm(block: $0) }
    for (row, (z, y)) in held.enumerated() {
      let block = row * 40 / held.count
      let (without, with) = (-y, slope * z - y)
      terms[block].weight += 1
      terms[block].rise += without * without - with * with
      terms[block].gain += 2 * without * (without - with)
    }
    return NestedComparison([terms])
  }
}
