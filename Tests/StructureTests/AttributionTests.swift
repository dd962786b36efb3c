import Dynamics
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

/// Against PyTorch, scikit-learn and NumPy; see Fixtures/PROVENANCE.md.
@Suite struct AttributionTests {
  struct Reference: Decodable {
    struct Case: Decodable {
      var name: String
      var activation: String
      var inputs: Int
      var weights: [[[Double]]]
      var biases: [[Double]]
      var skipWeight: [[Double]]?
      var samples: [[Double]]
      var integratedGradients: [[Double]]
      var gradientInput: [[Double]]
      var data: [[Double]]
      var targets: [[Double]]
      var orders: [[Int]]
      var permutation: [[Double]]
    }

    struct Spectrum: Decodable {
      var matrix: [[Double]]
      var real: [Double]
      var imaginary: [Double]
    }

    var cases: [Case]
    var spectra: [Spectrum]
  }

  static let reference = try? Fixture.json("agreement/attributions.json", as: Reference.self)

  /// A model whose physical units are the standardised ones, and the same plant in other units.
  private func models(_ given: Reference.Case) throws -> (plain: Model, scaled: Model) {
    let activation = try #require(
      Activation.allCases.first { "\($0)" == given.activation })
    let network = ExampleNetworks.chain(
      given.weights.map { Matrix($0) }, skip: given.skipWeight.map { Matrix($0) },
      inputs: given.inputs, biases: given.biases, activation: activation)
    let inputs = (0..<given.inputs).map { Variable("x\($0)", role: .state) }
    let outputs = (0..<network.outputCount).map { Variable("x\($0)", role: .state) }
    func model(_ mean: Double, _ deviation: Double) -> Model {
      func scaling(_ count: Int) -> Standardisation {
        Standardisation(
          mean: Array(repeating: mean, count: count),
          deviation: Array(repeating: deviation, count: count))
      }
      return Model(
        network: network, inputs: inputs, outputs: outputs, inputScaling: scaling(given.inputs),
        outputScaling: scaling(network.outputCount), timeStep: nil)
    }
    return (model(0, 1), model(4, 0.5))
  }

  @Test(arguments: reference?.cases.map(\.name) ?? [])
  func measuresAgreeWithOtherPrograms(name: String) throws {
    let given = try #require(Self.reference?.cases.first { $0.name == name })
    let (plain, scaled) = try models(given)
    func physical(_ rows: [[Double]]) -> Matrix { Matrix(rows.map { $0.map { 4 + 0.5 * $0 } }) }
    for (model, samples, data, targets) in [
      (plain, Matrix(given.samples), Matrix(given.data), Matrix(given.targets)),
      (scaled, physical(given.samples), physical(given.data), physical(given.targets)),
    ] {
      let integrated = Attribution.integratedGradients(model, over: samples)
      // Midpoints miss a switch by up to half their distance; smooth slopes they integrate to 1e-10.
      let isSmooth = given.activation != "relu"
      #expect(
        integrated.mean.deviation(from: Matrix(given.integratedGradients))
          < (isSmooth ? 1e-8 : 1e-4))
      #expect(try #require(integrated.completenessGap) < (isSmooth ? 1e-7 : 1e-12))
      let gradient = Attribution.gradientInput(model, over: samples)
      #expect(gradient.mean.deviation(from: Matrix(given.gradientInput)) < 1e-12)
      let permutation = Attribution.permutation(
        model, over: data, rates: targets, orders: given.orders)
      #expect(permutation.mean.deviation(from: Matrix(given.permutation)) < 1e-11)
    }
  }

  /// Units that switch at once, or at the very beginning, and one that is never left.
  @Test func switchesThatCoincideAreExact() throws {
    // Three times relu(x1 − 1/2), relu(x2), −relu(−x2) and relu of a constant.
    let network = ExampleNetworks.chain(
      [
        Matrix([[1, 0], [1, 0], [1, 0], [0, 1], [0, -1], [0, 0]]), Matrix([[1, 1, 1, 1, -1, 1]]),
      ],
      inputs: 2, biases: [[-0.5, -0.5, -0.5, 0, 0, 1], [0]])
    let variables = [Variable("a", role: .state), Variable("b", role: .state)]
    let model = Model(
      network: network, inputs: variables, outputs: [variables[0]],
      inputScaling: .identity(2), outputScaling: .identity(1), timeStep: nil)
    let found = Attribution.integratedGradients(model, over: Matrix([[2, 3]]))
    // 3 relu(2 − 1/2) and 3.
    #expect(abs(found.mean[0, 0] - 4.5) < 1e-12 && abs(found.mean[0, 1] - 3) < 1e-12)
    let other = Attribution.integratedGradients(model, over: Matrix([[0.25, -3]]))
    #expect(other.mean[0, 0] == 0 && abs(other.mean[0, 1] - 3) < 1e-12)
  }

  @Test func eigenvaluesAreThoseOfNumPy() throws {
    for spectrum in try #require(Self.reference).spectra {
      let found = try #require(Matrix(spectrum.matrix).eigenvalues())
      #expect(found.count == spectrum.real.count)
      for (value, (real, imaginary)) in zip(found, zip(spectrum.real, spectrum.imaginary)) {
        #expect(abs(value.real - real) < 1e-12 && abs(value.imaginary - imaginary) < 1e-12)
      }
    }
    #expect(Matrix(rows: 0, columns: 0).eigenvalues()?.isEmpty == true)
  }
}

@Suite struct StabilityTests {
  @Test func modesAreToldApart() throws {
    // λ = 1.01, 1, 0.9 and 0.6 ± 0.3i.
    let jacobian = Matrix([
      [0, 0, 0, 0, 0], [0, -0.05, 0, 0, 0], [0, 0, 0.005, 0, 0], [0, 0, 0, -0.2, -0.15],
      [0, 0, 0, 0.15, -0.2],
    ])
    let found = try #require(Stability([jacobian, jacobian], timeStep: 2))
    let modes = found.modes
    #expect(modes.map(\.unstable) == [1, 0, 0, 0, 0])
    #expect(modes.map(\.integrating) == [0, 1, 0, 0, 0])
    #expect(modes.map(\.oscillating) == [0, 0, 0, 1, 1])
    #expect(modes[0].timeConstant == nil && modes[1].timeConstant == nil)
    let slow = try #require(modes[2].timeConstant)
    #expect(abs(slow.median + 2 / Double.log(0.9)) < 1e-9)
    #expect(abs(found.largest[0] - 1.01) < 1e-12)
    #expect(Stability([Matrix([[.nan]])], timeStep: 1) == nil)
  }

  /// The masses that only add up what is fed and tapped integrate: no state brings them back.
  @Test func theCellsIntegratingModesAreFound() throws {
    let cell = ElectrolysisCell()
    let data = try Simulation(plant: cell, trajectories: 1, samples: 200).run()
    let jacobians = stride(from: 0, to: 200, by: 20).map { row in
      let values = Array(data.samples[0].row(row))
      return cell.incrementJacobian(
        state: Array(values.prefix(8)), controls: Array(values.dropFirst(8))
      )
      .submatrix(rows: Array(0..<8), columns: Array(0..<8))
    }
    let found = try #require(Stability(jacobians, timeStep: data.timeStep))
    #expect(found.modes.count { $0.integrating > 0.99 } >= 3)
    let fastest = try #require(found.modes.last?.timeConstant)
    #expect(fastest.median > 60 && fastest.median < 3600)
  }
}

@Suite struct JacobianStatisticsTests {
  @Test func theyAreThoseOfTheSingleJacobians() {
    var stream = RandomStream(seed: 5)
    let network = ExampleNetworks.random(
      [3, 6, 2], density: 0.8, skip: true, activation: .tanh, &stream)
    let variables = (0..<3).map { Variable("x\($0)", role: .state) }
    let model = Model(
      network: network, inputs: variables, outputs: Array(variables.prefix(2)),
      inputScaling: .identity(3), outputScaling: .identity(2), timeStep: nil)
    let points = Matrix(rows: 77, columns: 3) { _, _ in stream.normal() }
    let found = JacobianStatistics(model, over: points)
    let evaluator = JacobianEvaluator(network)
    let single = (0..<77).map { evaluator.jacobian(Array(points.row($0))) }
    for output in 0..<2 {
      for input in 0..<3 {
        let values = single.map { $0[output, input] }.sorted()
        #expect(found.positiveShare[output, input] == Double(values.count { $0 > 0 }) / 77)
        #expect(found.negativeShare[output, input] == Double(values.count { $0 < 0 }) / 77)
        // 76 · 0.05 = 3.8
        let low = values[3] + 0.8 * (values[4] - values[3])
        #expect(abs(found.quantiles[0][output, input] - low) < 1e-12)
        #expect(abs(found.quantiles[1][output, input] - values[38]) < 1e-12)
      }
    }
    #expect(found.samples == 77 && found.samplesOfQuantiles == 77)
  }
}
