import Dynamics
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct JacobianTests {
  struct Reference: Decodable {
    struct Layer: Decodable {
      var weight: [[Double]]
      var bias: [Double]
    }

    struct Case: Decodable {
      var name: String
      var activation: String
      var inputs: Int
      var layers: [Layer]
      var skipWeight: [[Double]]?
      var features: [[Double]]
      var jacobian: [[[Double]]]
    }

    var cases: [Case]
  }

  static let cases =
    (try? Fixture.json("networks/gradients.json", as: Reference.self))?.cases ?? []

  /// Against PyTorch's autograd in float64.
  @Test(arguments: cases.map(\.name))
  func jacobiansAgreeWithPyTorch(name: String) throws {
    let expected = try #require(Self.cases.first { $0.name == name })
    let network = ExampleNetworks.chain(
      expected.layers.map { Matrix($0.weight) }, skip: expected.skipWeight.map { Matrix($0) },
      inputs: expected.inputs, biases: expected.layers.map(\.bias),
      activation: try #require(Activation(rawValue: expected.activation)))
    let evaluator = JacobianEvaluator(network)
    for (point, jacobian) in zip(expected.features, expected.jacobian) {
      #expect(evaluator.jacobian(point).deviation(from: Matrix(jacobian)) < 1e-10)
    }
  }

  @Test func physicalJacobiansAreDerivativesOfPhysicalRates() {
    var stream = RandomStream(seed: 31)
    let model = Models.random(&stream)
    let point = [950.0, 13_000, 0.2]
    let jacobian = model.physicalJacobian(point)
    for column in 0..<3 {
      let h = 1e-5 * model.inputScaling.deviation[column]
      var (up, down) = (point, point)
      up[column] += h
      down[column] -= h
      for (row, pair) in zip(model.rates(up), model.rates(down)).enumerated() {
        let difference = (pair.0 - pair.1) / (2 * h)
        #expect(abs(jacobian[row, column] - difference) < 1e-5 * abs(difference) + 1e-12)
      }
    }
  }

  @Test func relevanceIsTheMeanMagnitudeOfTheJacobian() {
    var stream = RandomStream(seed: 32)
    let model = Models.random(&stream)
    let points = Matrix(rows: 40, columns: 3) { _, column in
      model.inputScaling.mean[column] + model.inputScaling.deviation[column] * stream.normal()
    }
    let relevance = Relevance(model, over: points)
    var magnitude = Matrix(rows: 2, columns: 3)
    var signed = magnitude
    for row in 0..<40 {
      let standardised = model.inputScaling.standardise(points.row(row))
      let jacobian = JacobianEvaluator(model.network).jacobian(standardised)
      magnitude += jacobian.map { abs($0) / 40 }
      signed += jacobian.map { $0 / 40 }
    }
    #expect(relevance.meanMagnitude.deviation(from: magnitude) < 1e-12)
    #expect(relevance.signedMean.deviation(from: signed) < 1e-12)
    #expect(relevance.samples == 40)
  }
}

enum Models {
  /// Two outputs, three inputs of very different scales.
  static func random(_ stream: inout RandomStream) -> Model {
    let network = ExampleNetworks.random(
      [3, 6, 2], density: 0.8, skip: true, activation: .silu, &stream)
    return Model(
      network: network,
      inputs: [
        Variable("T", unit: "°C", role: .state), Variable("m", unit: "kg", role: .state),
        Variable("u", role: .control),
      ],
      outputs: [
        Variable("T", unit: "°C", role: .state).rate, Variable("m", unit: "kg", role: .state).rate,
      ],
      inputScaling: Standardisation(mean: [960, 13_500, 0.1], deviation: [5, 1500, 0.3]),
      outputScaling: Standardisation(mean: [0.001, -0.2], deviation: [0.01, 3]), timeStep: 10)
  }
}
