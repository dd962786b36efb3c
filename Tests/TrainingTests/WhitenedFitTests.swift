import Evidence
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Least squares of innovations.
@Suite struct WhitenedFitTests {
  /// Slow inputs whose slopes are sought in increments of a state that is measured with white noise.
  private func record(_ seed: UInt64, rows count: Int = 1200) -> RegressionRows {
    var stream = RandomStream(seed: seed)
    var (slow, noise) = (0.0, stream.normal())
    var inputs: [Double] = []
    var targets: [Double] = []
    for _ in 0..<count {
      slow = 0.98 * slow + 0.2 * stream.normal()
      let next = stream.normal()
      inputs += [slow, stream.normal()]
      targets.append(0.3 * slow + next - noise)
      noise = next
    }
    var rows = RegressionRows(
      inputs: Matrix(rows: count, columns: 2, elements: inputs),
      targets: Matrix(rows: count, columns: 1, elements: targets))
    rows.begins = (0..<count).map { $0 % 300 == 0 }
    return rows
  }

  private func network(_ seed: UInt64) -> Network {
    var stream = RandomStream(seed: seed)
    var recipe = Recipe()
    recipe.hidden = [4]
    return Network.initial(recipe: recipe, inputs: 2, outputs: 1, name: "x", stream: &stream)
  }

  /// Of a network at given rows, by single points.
  private func innovations(_ network: Network, _ rows: RegressionRows) -> [Double] {
    let errors = (0..<rows.inputs.rows).map { row in
      network.evaluate(Array(rows.inputs.row(row)))[0] - rows.targets[row, 0]
    }
    return rows.whitenings[0].apply(errors, rows.begins)
  }

  private func meanSquare(_ values: [Double]) -> Double { values.map { $0 * $0 }.mean }

  @Test(arguments: [0.4, 0.94]) func theLossIsTheMeanSquareOfInnovations(theta: Double) {
    var rows = record(1)
    rows.whitenings = [Whitening(theta: theta)]
    let fit = LevenbergMarquardt(attempts: 0).fit(network(2), rows)
    #expect(abs(fit.lossBefore / meanSquare(innovations(network(2), rows)) - 1) < 1e-11)
  }

  /// At the minimum no component of the gradient is left, and no parameter that moves makes the loss smaller.
  @Test func theFitEndsAtAMinimumOfInnovations() {
    var rows = record(3)
    rows.whitenings = [Whitening(theta: 0.94)]
    let fit = LevenbergMarquardt(attempts: 300).fit(network(4), rows)
    let least = meanSquare(innovations(fit.network, rows))
    #expect(abs(fit.loss / least - 1) < 1e-9 && fit.loss < fit.lossBefore)
    #expect(fit.gradient < 1e-4)
    for step in [1e-3, -1e-3] {
      var place = 0
      var moved = 0
      let count = 4 * 3 + 1 + 4 + 2
      for index in 0..<count {
        place = 0
        let other = fit.network.mapParameters { value in
          defer { place += 1 }
          guard place == index, value != 0 else { return value }
          moved += 1
          return value + step
        }
        #expect(meanSquare(innovations(other, rows)) > least - 1e-7)
      }
      #expect(moved > 10)
    }
  }

  /// Over twenty seeds the error of the slope is a sixth or less of what errors as they are leave (root mean square).
  @Test func slowEffectsAreSeenThroughNoise() {
    let start = ExampleNetworks.chain([Matrix([[0.1, 0.1]])], inputs: 2)
    func slopes(_ theta: Double) -> [Double] {
      (0..<20).map { seed in
        var rows = record(UInt64(100 + seed))
        rows.whitenings = [Whitening(theta: theta)]
        let fit = LevenbergMarquardt(attempts: 20).fit(start, rows)
        return fit.network.layers[0].connections[0].weight[0, 0] - 0.3
      }
    }
    let (whitened, plain) = (slopes(0.985), slopes(0))
    #expect(meanSquare(whitened).squareRoot() < meanSquare(plain).squareRoot() / 6)
  }
}
