import Dynamics
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct PartialEffectsTests {
  private let mean = [3.0, -1]
  private let deviation = [0.5, 4.0]

  /// Of two inputs, in units of their own.
  private func model(_ network: Network) -> Model {
    Model(
      network: network, inputs: [Variable("a", role: .state), Variable("b", role: .control)],
      outputs: [Variable("a", role: .state).rate],
      inputScaling: Standardisation(mean: mean, deviation: deviation),
      outputScaling: Standardisation(mean: [7], deviation: [2]), timeStep: 1)
  }

  /// 400 samples, b close to a: their correlation is 0.8.
  private var data: Matrix {
    var stream = RandomStream(seed: 5)
    var elements: [Double] = []
    for _ in 0..<400 {
      let (z, noise) = (stream.normal(), stream.normal())
      elements += [
        mean[0] + deviation[0] * z, mean[1] + deviation[1] * (0.8 * z + 0.6 * noise),
      ]
    }
    return Matrix(rows: 400, columns: 2, elements: elements)
  }

  @Test func ofALineItIsTheLineInPhysicalUnits() {
    let effects = PartialEffects(
      model(ExampleNetworks.chain([Matrix([[1.5, -0.25]])], inputs: 2)), over: data)
    for (input, weight) in [1.5, -0.25].enumerated() {
      let values = data.column(input)
      let bounds = effects.bounds[input]
      #expect(bounds.first == values.min() && bounds.last == values.max())
      #expect(bounds.count == PartialEffects.stretches + 1)
      let slope = weight * 2 / deviation[input]
      let curve = effects.curves[0][input]
      for (bound, value) in zip(bounds, curve) {
        #expect(abs(value - curve[0] - slope * (bound - bounds[0])) < 1e-12)
      }
      // Its mean is that of the stretches' middles, which is near that of the samples.
      #expect(abs(curve[0] - slope * (bounds[0] - values.mean)) < 0.05 * abs(curve[0]))
    }
  }

  /// y = z_a² + tanh(z_b): each part is found although the inputs move together, which a mean over all samples with
  /// one input replaced would find as well, and a mean of the samples at hand would not.
  @Test func partsOfASumAreToldApartThoughInputsAreCorrelated() {
    let square = Network.Layer(
      name: "s", activation: .square, bias: [0],
      connections: [.init(source: .inputs, weight: Matrix([[1, 0]]))])
    let bent = Network.Layer(
      name: "t", activation: .tanh, bias: [0],
      connections: [.init(source: .inputs, weight: Matrix([[0, 1]]))])
    let sum = Network.Layer(
      name: "y", activation: .identity, bias: [0],
      connections: [
        .init(source: .layer(0), weight: Matrix([[1]])),
        .init(source: .layer(1), weight: Matrix([[1]])),
      ])
    let effects = PartialEffects(
      model(Network(inputCount: 2, layers: [square, bent, sum], outputLayers: [2])), over: data)
    let parts: [(Double) -> Double] = [{ 2 * $0 * $0 }, { 2 * Double.tanh($0) }]
    for (input, part) in parts.enumerated() {
      let bounds = effects.bounds[input].map { ($0 - mean[input]) / deviation[input] }
      let exact = bounds.map(part)
      let curve = effects.curves[0][input]
      let middle = bounds.count / 2
      for place in bounds.indices.dropFirst().dropLast() {
        let error = (curve[place] - curve[middle]) - (exact[place] - exact[middle])
        #expect(abs(error) < 0.1, "\(input) \(place) \(error)")
      }
    }
  }

  @Test func constantsAndSwitchesHaveTheirValues() {
    let data = Matrix([[1, 0], [1, 1], [1, 1], [1, 0]])
    let effects = PartialEffects(
      model(ExampleNetworks.chain([Matrix([[1, 1]])], inputs: 2)), over: data)
    #expect(effects.bounds == [[1], [0, 1]])
    #expect(effects.curves[0][0] == [0])
    let curve = effects.curves[0][1]
    #expect(abs((curve.last ?? 0) - (curve.first ?? 0) - 2 / deviation[1]) < 1e-12)
  }
}

extension Double {
  fileprivate static func tanh(_ x: Double) -> Double { Activation.tanh.value(x) }
}
