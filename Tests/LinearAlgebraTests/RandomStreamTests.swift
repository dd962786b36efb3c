import LinearAlgebra
import Testing

@Suite struct RandomStreamTests {
  @Test func theSameSeedAndPathGiveTheSameNumbers() {
    var a = RandomStream(seed: 7, path: [1, 2])
    var b = RandomStream(seed: 7, path: [1, 2])
    #expect((0..<100).allSatisfy { _ in a.next() == b.next() })
  }

  @Test func differentPathsGiveDifferentNumbers() {
    let paths: [[UInt64]] = [[], [0], [1], [0, 0], [1, 2], [2, 1], [1, 0], [0, 1], [1, 2, 0]]
    let firsts = paths.map { path -> UInt64 in
      var stream = RandomStream(seed: 7, path: path)
      return stream.next()
    }
    #expect(Set(firsts).count == paths.count)
  }

  @Test func uniformNumbersHaveTheMomentsOfTheUniformDistribution() {
    var stream = RandomStream(seed: 1)
    let values = (0..<100_000).map { _ in stream.uniform() }
    #expect(values.allSatisfy { (0..<1).contains($0) })
    // Five standard errors of mean and variance.
    #expect(abs(values.mean - 0.5) < 5 * (1.0 / 12 / 100_000).squareRoot())
    let variance = values.standardDeviation * values.standardDeviation
    #expect(abs(variance - 1.0 / 12) < 5 * (1.0 / 180 / 100_000).squareRoot())
  }

  @Test func normalNumbersHaveTheMomentsOfTheNormalDistribution() {
    var stream = RandomStream(seed: 2)
    let values = (0..<100_000).map { _ in stream.normal() }
    let n = 100_000.0
    #expect(abs(values.mean) < 5 / n.squareRoot())
    #expect(abs(values.map { $0 * $0 }.mean - 1) < 5 * (2 / n).squareRoot())
    #expect(abs(values.map { $0 * $0 * $0 }.mean) < 5 * (15 / n).squareRoot())
    #expect(abs(values.map { $0 * $0 * $0 * $0 }.mean - 3) < 5 * (96 / n).squareRoot())
  }

  @Test func integersCoverTheirRangeEvenly() {
    var stream = RandomStream(seed: 3)
    var counts = [Int](repeating: 0, count: 13)
    for _ in 0..<130_000 { counts[stream.integer(in: -6...6) + 6] += 1 }
    // χ² with 12 degrees of freedom exceeds 40 once in ten thousand.
    let chiSquared = counts.reduce(0.0) { $0 + Double(($1 - 10_000) * ($1 - 10_000)) / 10_000 }
    #expect(chiSquared < 40)
  }

  @Test func shufflingKeepsTheElementsAndReachesEveryOrder() {
    var stream = RandomStream(seed: 4)
    var seen = Set<[Int]>()
    for _ in 0..<500 {
      var values = [1, 2, 3, 4]
      stream.shuffle(&values)
      #expect(values.sorted() == [1, 2, 3, 4])
      seen.insert(values)
    }
    #expect(seen.count == 24)
  }
}

@Suite struct StatisticsTests {
  /// Quantiles as SciPy 1.17 gives them (scipy.stats.t.ppf).
  @Test(arguments: [
    (0.95, 1, 12.706204736174694), (0.95, 2, 4.302652729749462), (0.95, 3, 3.182446305284263),
    (0.95, 9, 2.262157162798205), (0.99, 4, 4.604094871349992), (0.95, 30, 2.0422724563012373),
  ])
  func studentQuantilesAgreeWithSciPy(confidence: Double, degrees: Int, expected: Double) {
    let quantile = studentQuantile(confidence: confidence, degrees: degrees)
    #expect(abs(quantile / expected - 1) < 1e-9)
  }

  @Test func theMedianOfAnEvenCountIsBetweenTheMiddleTwo() {
    #expect([4.0, 1, 3, 2].median == 2.5)
    #expect([5.0, 1, 3].median == 3)
    #expect([Double]().median.isNaN)
  }
}

@Suite struct ConcurrentMapTests {
  struct Failure: Error {}

  @Test(arguments: [1, 2, 3, 64])
  func resultsKeepTheirOrder(threads: Int) async throws {
    let results = try await concurrentMap(50, threads: threads) { $0 * $0 }
    #expect(results == (0..<50).map { $0 * $0 })
  }

  @Test func anErrorIsThrownOn() async {
    await #expect(throws: Failure.self) {
      try await concurrentMap(10, threads: 3) { if $0 == 7 { throw Failure() } }
    }
  }
}
