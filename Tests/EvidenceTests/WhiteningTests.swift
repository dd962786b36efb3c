import Evidence
import LinearAlgebra
import Testing

@Suite struct WhiteningTests {
  /// Innovations are L⁻¹e with LLᵀ the covariance of a moving average: 1 + θ² on the diagonal, −θ beside it, and
  /// nothing between runs.
  @Test(arguments: [0.2, 0.8, 0.985, 1.0]) func innovationsAreThoseOfTheCovariance(theta: Double) {
    var stream = RandomStream(seed: 3)
    let errors = (0..<15).map { _ in stream.normal() }
    let begins = (0..<15).map { $0 == 0 || $0 == 9 }
    var factor = [[Double]](repeating: [Double](repeating: 0, count: 15), count: 15)
    func covariance(_ i: Int, _ j: Int) -> Double {
      if i == j { return 1 + theta * theta }
      return abs(i - j) == 1 && !begins[max(i, j)] ? -theta : 0
    }
    // Cholesky's factor, as in any textbook, and forward substitution.
    for i in 0..<15 {
      for j in 0...i {
        let rest = covariance(i, j) - (0..<j).reduce(0) { $0 + factor[i][$1] * factor[j][$1] }
        factor[i][j] = i == j ? rest.squareRoot() : rest / factor[j][j]
      }
    }
    var expected: [Double] = []
    for i in 0..<15 {
      let known = (0..<i).reduce(0) { $0 + factor[i][$1] * expected[$1] }
      expected.append((errors[i] - known) / factor[i][i])
    }
    let whitening = Whitening(theta: theta)
    let found = whitening.apply(errors, begins)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    var table = errors.flatMap { [$0, 2 * $0] }
    whitening.apply(&table, columns: 2, begins)
    #expect(zip(table, expected.flatMap { [$0, 2 * $0] }).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  /// Over twenty seeds, with 2000 errors each.
  @Test(arguments: 0..<20) func theMovingAverageIsFound(seed: UInt64) {
    for theta in [0.0, 0.6, 0.94] {
      var stream = RandomStream(seed: seed, path: [UInt64(100 * theta)])
      var last = stream.normal()
      let errors = (0..<2000).map { _ in
        let next = stream.normal()
        defer { last = next }
        return next - theta * last
      }
      let begins = (0..<2000).map { $0 % 500 == 0 }
      #expect(abs(Whitening(of: [(errors, begins)]).theta - theta) <= 0.2)
    }
  }

  @Test func nothingHappensWithoutRuns() {
    #expect(Whitening(theta: 0.9).apply([1, 2, 3], []) == [1, 2, 3])
    #expect(Whitening.none.apply([1, 2, 3], [true, false, false]) == [1, 2, 3])
  }
}
