import Dynamics
import Laws
import LinearAlgebra
import Networks
import TestSupport
import Testing

@Suite struct InteractionTests {
  private let plant = ProductPlant()

  /// |H_uv| σ_u σ_v/σ_y of u v: the plant's own, and zero where nothing sees both.
  @Test func aProductInteractsByItsSize() async throws {
    let ensemble = Ensemble(name: "product", members: [plant.model(), plant.model(error: 0.01)])
    let data = try plant.data()
    let points = Matrix(
      Array(
        data.samples.map { matrix in
          (0..<matrix.rows).map { Array(matrix.row($0)) }
        }.joined()))
    let found = try await Interactions(ensemble, over: points, threads: 2)
    // The network scales nothing: deviations are one.
    #expect(abs(found.mean(0)[1, 2] - plant.gain * 1.005) < 1e-12)
    #expect(found.isTrueZero(0, 0, 1) && found.verdict(0, 0, 1, threshold: 0.01) == .absent)
    #expect(found.verdict(0, 1, 2, threshold: 0.01) == .present)
    #expect(found.verdict(0, 1, 2, threshold: 0.9) == .weak)
    #expect(found.verdict(0, 1, 2, threshold: plant.gain * 1.005) == .undecided)
    #expect(found.components(0, of: [0, 1, 2], threshold: 0.01) == [[0], [1, 2]])
    #expect(found.components(0, of: [0, 1, 2], threshold: 0.9) == [[0], [1], [2]])
    #expect(found.components(0, of: [0, 1, 2], threshold: -1) == [[0], [1, 2]])
    let parts = AdditiveParts(
      ensemble, output: 0, groups: [[0], [1, 2]], over: points, found)
    #expect(parts.isExact && parts.remainder < 1e-12)
    let split = AdditiveParts(
      ensemble, output: 0, groups: [[0], [1], [2]], over: points, found)
    #expect(!split.isExact && split.remainder > 0.1)
  }

  /// f = Σ of functions of components, for random sparse towers: the structural decomposition leaves only rounding.
  @Test(arguments: [Activation.silu, .tanh, .relu])
  func structuralComponentsAddUp(activation: Activation) async throws {
    for seed in 1...10 {
      var stream = RandomStream(seed: UInt64(seed))
      let network = ExampleNetworks.random(
        [6, 8, 1], density: 0.2, skip: true, activation: activation, &stream)
      let variables = (0..<6).map { Variable("x\($0)", role: .state) }
      let model = Model(
        network: network, inputs: variables, outputs: [variables[0]],
        inputScaling: .identity(6), outputScaling: .identity(1), timeStep: 1)
      let ensemble = Ensemble(name: "random", members: [model])
      let points = Matrix(rows: 50, columns: 6) { _, _ in stream.normal() }
      let found = try await Interactions(ensemble, over: points, threads: 1)
      let groups = found.components(0, of: Array(0..<6), threshold: -1)
      let parts = AdditiveParts(ensemble, output: 0, groups: groups, over: points, found)
      #expect(parts.isExact && parts.remainder < 1e-12)
    }
  }

  /// max(0, x₀ + x₁) has a kink in which both act together, though its Hessian is zero almost everywhere.
  @Test func kinksAreInteractions() async throws {
    let network = ExampleNetworks.chain(
      [Matrix([[1, 1, 0], [0, 0, 1]]), Matrix([[1, 1]])], inputs: 3)
    let variables = (0..<3).map { Variable("x\($0)", role: .state) }
    let model = Model(
      network: network, inputs: variables, outputs: [variables[0]], inputScaling: .identity(3),
      outputScaling: .identity(1), timeStep: 1)
    let points = Matrix([[0, 0, 5], [3, 3, 5]])
    let found = try await Interactions(
      Ensemble(name: "kink", members: [model]), over: points, threads: 1)
    // At the kink (max(0, 1) − 0 − 0 + 0)/4h² = 1 with h = ½, far from it 0.
    #expect(found.mean(0)[0, 1] == 0.5 && found.isDifferenced == [true])
    #expect(found.isTrueZero(0, 0, 2))
  }
}

@Suite struct ConservationTests {
  /// What leaves the first tank enters the second: 2 ẋ₁ + ẋ₂ = 3 u, whatever the law of flow.
  @Test func aBalanceIsFound() throws {
    let variables = [
      Variable("a", role: .state), Variable("b", role: .state), Variable("u", role: .control),
    ]
    let network = Network(
      inputCount: 3,
      layers: [
        .init(
          name: "flow", activation: .tanh, bias: [0.1],
          connections: [.init(source: .inputs, weight: Matrix([[1, -0.5, 0.2]]))]),
        .init(
          name: "rates", activation: .identity, bias: [0, 0],
          connections: [
            .init(source: .layer(0), weight: Matrix([[-1], [2]])),
            .init(source: .inputs, weight: Matrix([[0, 0, 1], [0, 0, 1]])),
          ]),
      ], outputLayers: [1])
    let model = Model(
      network: network, inputs: variables, outputs: variables.prefix(2).map(\.rate),
      inputScaling: .identity(3), outputScaling: .identity(2), timeStep: 0.1)
    let samples = (0..<4).map { number in
      var stream = RandomStream(seed: 8, path: [UInt64(number)])
      var state = [stream.normal(), stream.normal()]
      return Matrix(
        (0..<100).map { _ in
          let row = state + [stream.normal()]
          for (index, rate) in model.rates(row).enumerated() { state[index] += 0.1 * rate }
          return row
        })
    }
    let data = try Trajectories(variables: variables, timeStep: 0.1, samples: samples)
    let ensemble = Ensemble(name: "tanks", members: [model])
    let laws = try Conservation(ensemble, data).laws
    #expect(laws.count == 1)
    let law = try #require(laws.first)
    #expect(law.output == 0 && law.rates.map(\.output) == [1] && law.controls.map(\.input) == [2])
    #expect(abs(law.rates[0].coefficient.fitted - 0.5) < 1e-9)
    #expect(abs(law.controls[0].coefficient.fitted - 1.5) < 1e-9 && law.constant == nil)
    #expect(law.leftInData < 1e-20 && law.leftInNetworks < 1e-20)
    let report = ConservationReport(ensemble, try Conservation(ensemble, data))
    #expect(report.result.laws[0].law.hasPrefix("d/dt (a + 0.5"))
  }
}
