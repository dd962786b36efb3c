import Dynamics
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct ActingNetworkTests {
  private func model(_ network: Network) -> Model {
    let inputs = (0..<network.inputCount).map { Variable("x\($0)", role: .state) }
    let outputs = (0..<network.outputCount).map { Variable("y\($0)", role: .state).rate }
    return Model(
      network: network, inputs: inputs, outputs: outputs,
      inputScaling: Standardisation(
        mean: inputs.map { _ in 0.5 }, deviation: inputs.map { _ in 2 }),
      outputScaling: .identity(outputs.count), timeStep: 1)
  }

  private func samples(_ rows: Int, _ columns: Int, _ stream: inout RandomStream) -> Matrix {
    Matrix(rows: rows, columns: columns) { _, _ in 0.5 + 2 * stream.normal() }
  }

  /// y = 3 relu(z − 9) + relu(z + 9) − z + tanh(z): over |z| < 2 the first never acts, the second is z + 9 and cancels
  /// −z, the third stays.
  @Test func unitsThatNeverActGoAndLinesCancel() {
    let hidden = Network.Layer(
      name: "h1", activation: .relu, bias: [-9, 9],
      connections: [.init(source: .inputs, weight: Matrix([[1], [1]]))])
    let bent = Network.Layer(
      name: "h2", activation: .tanh, bias: [0],
      connections: [.init(source: .inputs, weight: Matrix([[1]]))])
    let output = Network.Layer(
      name: "y", activation: .identity, bias: [0],
      connections: [
        .init(source: .layer(0), weight: Matrix([[3, 1]])),
        .init(source: .layer(1), weight: Matrix([[1]])),
        .init(source: .inputs, weight: Matrix([[-1]])),
      ])
    let model = model(Network(inputCount: 1, layers: [hidden, bent, output], outputLayers: [2]))
    let data = Matrix(rows: 41, columns: 1) { row, _ in 0.5 + 2 * (Double(row) / 10 - 2) }
    let acting = ActingNetwork(model, over: data)
    #expect(acting.idle == [.unit(layer: 0, index: 0)])
    #expect(acting.lines == [.unit(layer: 0, index: 1)])
    #expect(acting.deviation < 1e-12)
    #expect(acting.network.survivingWeightCount == 2)
    for z in [-1.5, 0, 1.25] {
      #expect(abs(acting.network.evaluate([z])[0] - model.network.evaluate([z])[0]) < 1e-12)
    }
    let untouched = ActingNetwork(model, over: data, tolerance: 0)
    #expect(untouched.network == model.network && untouched.lines.isEmpty)
  }

  /// Whatever the depth: what leaves an input is divided among its edges, and together is mean J.
  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func effectsOfAnInputsEdgesAddUpToTheMeanJacobian(seed: UInt64) {
    var stream = RandomStream(seed: seed)
    let model = model(
      ExampleNetworks.random(
        [4, 7, 6, 3], density: 0.6, skip: true, activation: .silu, &stream))
    let data = samples(300, 4, &stream)
    let acting = ActingNetwork(model, over: data, tolerance: 0)
    let relevance = Relevance(model, over: data)
    #expect(acting.meanJacobian.deviation(from: relevance.signedMean) < 1e-12)
    #expect(acting.meanMagnitude.deviation(from: relevance.meanMagnitude) < 1e-12)
    for output in 0..<3 {
      let effects = acting.effects(on: [output])
      for input in 0..<4 {
        var sum = 0.0
        for (layer, all) in zip(acting.network.layers, effects) {
          for (connection, effect) in zip(layer.connections, all)
          where connection.source == .inputs {
            sum += effect.column(input).reduce(0, +)
          }
        }
        #expect(abs(sum - relevance.signedMean[output, input]) < 1e-12)
      }
    }
  }

  /// With one hidden layer, an edge from an input has the effect that is printed for the path through it.
  @Test func edgesOfInputsHaveTheEffectsOfTheirPaths() throws {
    var stream = RandomStream(seed: 3)
    let model = model(
      ExampleNetworks.random([3, 5, 1], density: 1, skip: false, activation: .tanh, &stream))
    let data = samples(200, 3, &stream)
    let acting = ActingNetwork(model, over: data, tolerance: 0)
    let effects = acting.effects()
    let paths = PathAnalysis(model.network).strongestPaths(15)[0]
    #expect(paths.count == 15)
    let activity = PathActivity(paths, of: model.network, over: data, model.inputScaling)
    for path in paths {
      guard case .input(let input) = path.nodes[0], case .unit(_, let unit) = path.nodes[1] else {
        Issue.record("no path through a unit")
        continue
      }
      let expected = path.product * (try #require(activity[path]).meanSlope)
      #expect(abs(effects[0][0][unit, input] - expected) < 1e-12)
    }
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func foldingKeepsWithinItsTolerance(seed: UInt64) {
    var stream = RandomStream(seed: seed)
    let model = model(
      ExampleNetworks.random([4, 30, 2], density: 0.5, skip: true, activation: .silu, &stream))
    let data = samples(400, 4, &stream)
    var folded = 0
    for tolerance in [0.01, 0.05, 0.3] {
      let acting = ActingNetwork(model, over: data, tolerance: tolerance)
      #expect(acting.deviation <= tolerance)
      // Measured on every sample here, on some of them there.
      let live = LiveStructure(model.network).network
      let changes = (0..<2).map { output in
        (0..<data.rows).map { row in
          let z = model.inputScaling.standardise(data.row(row))
          return acting.network.evaluate(z)[output] - live.evaluate(z)[output]
        }.standardDeviation
      }
      let deviations = (0..<2).map { output in
        (0..<data.rows).map { row in
          live.evaluate(model.inputScaling.standardise(data.row(row)))[output]
        }.standardDeviation
      }
      #expect(zip(changes, deviations).allSatisfy { $0 <= 1.01 * tolerance * $1 })
      #expect(acting.lines.count + acting.idle.count >= folded)
      folded = acting.lines.count + acting.idle.count
    }
    #expect(folded > 0)
  }

  /// y = 5 tanh(a) − 4.9 tanh(a) + tanh(b): the paths from a nearly cancel, and are one way.
  @Test func pathsThatCancelAreOneRoute() {
    let network = ExampleNetworks.chain(
      [Matrix([[1, 0], [1, 0], [0, 1]]), Matrix([[5, -4.9, 1]])], inputs: 2, activation: .tanh)
    let model = model(network)
    var stream = RandomStream(seed: 1)
    let data = samples(500, 2, &stream)
    let acting = ActingNetwork(model, over: data, tolerance: 0)
    let routes = acting.strongestRoutes(5)
    #expect(routes.count == 2)
    #expect(routes[0].kind == .path && routes[0].nodes.first == .input(1))
    #expect(routes[1].kind == .sum(of: 2))
    #expect(routes[1].nodes == [.input(0), .unit(layer: 1, index: 0)])
    #expect(abs(routes[1].effect - acting.meanJacobian[0, 0]) < 1e-15)
    #expect(acting.strongestRoutes(5, from: [0]).count == 1)
  }
}
