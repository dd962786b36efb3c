import Foundation
import LinearAlgebra
import Networks
import TestSupport
import Testing
import Training

/// Against scipy.optimize.least_squares (MINPACK); see Fixtures/PROVENANCE.md.
@Suite struct LevenbergMarquardtTests {
  struct Reference: Decodable {
    struct Case: Decodable {
      var name: String
      var activation: String
      var layers: [GradientReference.Layer]
      var skipWeight: [[Double]]?
      var features: [[Double]]
      var targets: [[Double]]
      var lossAtStart: Double
      var largestGradientAtStart: Double
      var free: Int
      var loss: Double
      var solution: GradientReference.Parameters

      var rows: RegressionRows {
        RegressionRows(inputs: Matrix(features), targets: Matrix(targets))
      }
      var start: Network { network(layers, skipWeight) }
      var end: Network { network(solution.layers, solution.skipWeight) }

      private func network(_ layers: [GradientReference.Layer], _ skip: [[Double]]?) -> Network {
        let shape = GradientReference.Case(
          name: name, activation: activation, layers: layers, skipWeight: skip,
          features: features, targets: targets, prediction: [], loss: 0,
          gradient: .init(layers: [], skipWeight: nil))
        return shape.network
      }
    }

    var cases: [Case]
  }

  static let reference = try? Fixture.json("networks/least_squares.json", as: Reference.self)
  static let names = reference?.cases.map(\.name) ?? []

  private func fixture(_ name: String) throws -> Reference.Case {
    let reference = try #require(Self.reference)
    return try #require(reference.cases.first { $0.name == name })
  }

  @Test(arguments: names, Kernels.available.map(\.instructionSet))
  func theMinimumIsThatOfMINPACK(name: String, set: InstructionSet) throws {
    let expected = try fixture(name)
    let fit = LevenbergMarquardt(attempts: 200).fit(
      expected.start, expected.rows, kernels: try #require(Kernels(set)))
    #expect(abs(fit.lossBefore / expected.lossAtStart - 1) < 1e-13)
    #expect(abs(fit.loss / expected.loss - 1) < 1e-10)
    #expect(fit.gradient < 1e-9 && fit.attempts < 200 && fit.kept > 3)
    for (ours, theirs) in zip(fit.network.layers, expected.end.layers) {
      for (a, b) in zip(ours.connections, theirs.connections) {
        #expect(a.weight.deviation(from: b.weight) < 1e-5)
        // What was zero has not moved.
        #expect(a.weight.elements.map { $0 == 0 } == b.weight.elements.map { $0 == 0 })
      }
    }
  }

  @Test(arguments: names) func theGradientIsThatOfTheComplexStep(name: String) throws {
    let expected = try fixture(name)
    let fit = LevenbergMarquardt(attempts: 0).fit(
      expected.start, expected.rows)
    #expect(abs(fit.gradient / expected.largestGradientAtStart - 1) < 1e-12)
    #expect(fit.attempts == 0 && fit.network == expected.start)
  }

  /// A linear model is solved by one undamped step: the normal equations of least squares.
  @Test func aLinearModelIsSolvedExactly() {
    var stream = RandomStream(seed: 4)
    let inputs = Matrix(rows: 1000, columns: 3) { _, _ in stream.normal() }
    let targets = Matrix(rows: 1000, columns: 1) { row, _ in
      2 * inputs[row, 0] - inputs[row, 1] + 0.5 + 0.1 * stream.normal()
    }
    var recipe = Recipe()
    recipe.hidden = []
    var network = Network.initial(
      recipe: recipe, inputs: 3, outputs: 1, name: "y", stream: &stream)
    network.layers[0].connections[0].weight.elements = [1, 1, 0]
    let fit = LevenbergMarquardt(attempts: 50).fit(
      network, RegressionRows(inputs: inputs, targets: targets))
    let w = fit.network.layers[0].connections[0].weight.elements
    #expect(w[2] == 0)
    // The errors are orthogonal to what may move, as far as the damping of 1e-10 that the step needs lets them.
    let errors = (0..<1000).map {
      targets[$0, 0] - w[0] * inputs[$0, 0] - w[1] * inputs[$0, 1] - fit.network.layers[0].bias[0]
    }
    for column in 0..<2 {
      let product = zip(errors, inputs.column(column)).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(product) / 1000 < 1e-10)
    }
  }

  /// A unit and the skip come as near to a parabola as one likes: SiLU(εx) = εx/2 + (εx)²/4 + O(ε⁴), with
  /// weights beyond all bounds.
  @Test func aRidgeKeepsWeightsFromCancellingEachOther() {
    let inputs = Matrix(rows: 400, columns: 1) { row, _ in Double(row) / 200 - 1 }
    let rows = RegressionRows(
      inputs: inputs, targets: inputs.map { $0 * $0 })
    var recipe = Recipe()
    recipe.hidden = [1]
    var stream = RandomStream(seed: 3)
    var network = Network.initial(
      recipe: recipe, inputs: 1, outputs: 1, name: "y", stream: &stream)
    network.layers[1].connections[1].weight.elements = [1]
    func fit(ridge: Double) -> (loss: Double, largest: Double, fit: LevenbergMarquardt.Fit) {
      let fit = LevenbergMarquardt(attempts: 2000, ridge: ridge).fit(network, rows)
      let parameters = fit.network.layers.flatMap { layer in
        layer.bias + layer.connections.flatMap(\.weight.elements)
      }
      let penalty = ridge * parameters.reduce(0) { $0 + $1 * $1 }
      return (fit.loss - penalty, parameters.map(abs).max() ?? 0, fit)
    }
    let (free, held) = (fit(ridge: 0), fit(ridge: LevenbergMarquardt.smallRidge))
    #expect(free.largest > 600 && held.largest < 300)
    #expect(free.fit.attempts == 2000 && held.fit.attempts < 1000)
    #expect(held.loss < 1e-6 && held.fit.gradient < 1e-9)
    // What the errors say is what the network computes.
    let errors = (0..<400).map {
      held.fit.network.evaluate([inputs[$0, 0]])[0] - rows.targets[$0, 0]
    }
    #expect(abs(errors.map { $0 * $0 }.mean / held.loss - 1) < 1e-6)
  }

  @Test func aNetworkWithNothingToMoveStaysAsItIs() {
    var stream = RandomStream(seed: 4)
    var network = Network.initial(
      recipe: Recipe(), inputs: 2, outputs: 1, name: "y", stream: &stream
    ).cut(1e9)
    network.layers[1].bias = [3]
    let fit = LevenbergMarquardt(attempts: 20).fit(
      network,
      RegressionRows(
        inputs: Matrix(rows: 4, columns: 2, repeating: 1),
        targets: Matrix(rows: 4, columns: 1, repeating: 1)))
    // Only the output's bias reaches the output.
    #expect(abs(fit.network.layers[1].bias[0] - 1) < 1e-6)
    #expect(fit.network.layers[0] == network.layers[0])
  }
}
