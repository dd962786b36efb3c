import Evidence
import LinearAlgebra
import Networks
import TestSupport
import Testing

@testable import Training

/// Least squares of innovations.
@Suite struct WhitenedFitTests {
  /// A slow input whose slope is sought in increments of a state that is measured with white noise.
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
    recipe.hidden = [6]
    return Network.initial(recipe: recipe, inputs: 2, outputs: 1, name: "x", stream: &stream)
  }

  @Test func theLossIsTheMeanSquareOfInnovations() {
    var rows = record(1)
    rows.whitenings = [Whitening(theta: 0.9)]
    var problem = LeastSquares(network(2), rows)
    var plain = rows
    plain.whitenings = []
    var other = LeastSquares(network(2), plain)
    let errors = zip(other.predictions().elements, rows.targets.elements).map { $0 - $1 }
    let innovations = rows.whitenings[0].apply(errors, rows.begins)
    let expected = innovations.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    #expect(abs(problem.loss() / expected - 1) < 1e-12)
    #expect(abs(problem.evaluate().loss / expected - 1) < 1e-12)
  }

  /// Central differences of the loss; its half has the gradient Jᵀe/N.
  @Test func theGradientIsThatOfDifferences() {
    var rows = record(3)
    rows.whitenings = [Whitening(theta: 0.94)]
    var problem = LeastSquares(network(4), rows)
    let at = problem.parameters
    let gradient = problem.evaluate().gradient
    for index in at.indices {
      func loss(_ step: Double) -> Double {
        var moved = at
        moved[index] += step
        problem.move(to: moved)
        return problem.loss()
      }
      let difference = (loss(1e-4) - loss(-1e-4)) / 4e-4
      // J is in single precision.
      #expect(abs(gradient[index] - difference) < 1e-5 * max(1, abs(difference)))
    }
  }

  /// The outputs' own parameters go to the minimum: no component of the gradient is left there.
  @Test func projectionEndsWhereTheGradientVanishes() {
    var rows = record(5)
    rows.whitenings = [Whitening(theta: 0.97)]
    var problem = LeastSquares(network(6), rows)
    let before = problem.loss()
    let promised = problem.project()
    #expect(abs(problem.loss() / promised - 1) < 1e-9)
    #expect(promised < before)
    let own = problem.parameters.indices.suffix(9)
    let gradient = problem.evaluate().gradient
    #expect(own.count { abs(gradient[$0]) < 1e-6 } >= 8)
  }

  /// Over twenty seeds the error of the slope is a sixth or less of what errors as they are leave (root mean square;
  /// about a fifteenth on average).
  @Test func slowEffectsAreSeenThroughNoise() {
    func slopes(_ theta: Double) -> [Double] {
      (0..<20).map { seed in
        var rows = record(UInt64(100 + seed))
        rows.whitenings = [Whitening(theta: theta)]
        var problem = LeastSquares(network(8).linearised, rows)
        _ = problem.project()
        return problem.network.relevance(rows.points(10))[0] - 0.3
      }
    }
    func size(_ errors: [Double]) -> Double { errors.map { $0 * $0 }.mean.squareRoot() }
    #expect(size(slopes(0.985)) < size(slopes(0)) / 6)
  }
}

extension Network {
  /// Its linear part, open in all inputs.
  fileprivate var linearised: Network {
    var result = withLinearPartOpen()
    for layer in layers.indices {
      for index in layers[layer].connections.indices
      where !outputLayers.contains(layer) || layers[layer].connections[index].source != .inputs {
        result.layers[layer].connections[index].weight =
          layers[layer].connections[index].weight.map { _ in 0 }
      }
    }
    return result
  }
}
