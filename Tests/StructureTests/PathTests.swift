import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

/// Paths against brute-force enumeration in rational arithmetic; see Fixtures/PROVENANCE.md.
@Suite struct PathTests {
  struct Reference: Decodable {
    struct Strongest: Decodable {
      var path: [Int]
      var product: Double
    }

    struct Case: Decodable {
      var name: String
      var inputs: Int
      var weights: [[[Double]]]
      var skipWeight: [[Double]]?
      var count: [[UInt64]]
      var positive: [[Double]]
      var negative: [[Double]]
      var strongest: [Strongest]
    }

    var cases: [Case]
  }

  static let cases = (try? Fixture.json("paths/networks.json", as: Reference.self))?.cases ?? []

  @Test(arguments: cases.map(\.name))
  func countsStrengthsAndStrongestPathsAgreeWithEnumeration(name: String) throws {
    let expected = try #require(Self.cases.first { $0.name == name })
    let network = ExampleNetworks.chain(
      expected.weights.map { Matrix($0) }, skip: expected.skipWeight.map { Matrix($0) },
      inputs: expected.inputs)
    let analysis = PathAnalysis(network)
    #expect(analysis.counts.map { $0.map { $0 ?? .max } } == expected.count)
    #expect(analysis.positive == Matrix(expected.positive))
    #expect(analysis.negative == Matrix(expected.negative))
    let strongest = analysis.strongestPathsOverall(10)
    #expect(strongest.map(\.product) == expected.strongest.map(\.product))
    #expect(strongest.map { $0.nodes.map(index) } == expected.strongest.map(\.path))
  }

  private func index(_ node: PathNode) -> Int {
    switch node {
    case .input(let index), .unit(_, let index): index
    }
  }

  @Test func theDenseNetworkHasTheKnownNumberOfPaths() {
    let sizes = [13, 20, 20, 20, 20, 8]
    let weights = zip(sizes, sizes.dropFirst()).map { Matrix(rows: $1, columns: $0, repeating: 1) }
    let analysis = PathAnalysis(ExampleNetworks.chain(weights, inputs: 13))
    #expect(analysis.totalCount == 16_640_000)
    #expect(analysis.counts[0][0] == 160_000)
    #expect(analysis.connectedPairs == 104)
  }

  @Test func countsBeyondSixtyFourBitsAreNotWrapped() {
    // 16 units a layer: sixteen hidden layers make 2⁶⁴ paths per pair, fifteen 2⁶⁰.
    let weights = [Matrix](repeating: Matrix(rows: 16, columns: 16, repeating: 1), count: 17)
    let analysis = PathAnalysis(ExampleNetworks.chain(weights, inputs: 16))
    #expect(analysis.counts[0][0] == nil && analysis.totalCount == nil)
    let below = PathAnalysis(ExampleNetworks.chain(Array(weights.prefix(16)), inputs: 16))
    #expect(below.counts[0][0] == 1 << 60 && below.totalCount == nil)
  }

  /// Deterministic k-best search against sorting all paths of a random network.
  @Test(arguments: 1...5)
  func anyNumberOfStrongestPathsIsTheHeadOfAllOfThem(seed: UInt64) {
    var stream = RandomStream(seed: seed)
    let network = ExampleNetworks.random([4, 6, 5, 3], density: 0.5, skip: true, &stream)
    let analysis = PathAnalysis(network)
    let all = analysis.strongestPaths(100_000)
    for (output, paths) in all.enumerated() {
      let total = analysis.counts[output].reduce(0) { $0 + ($1 ?? 0) }
      #expect(paths.count == Int(total))
      #expect(zip(paths, paths.dropFirst()).allSatisfy { abs($0.product) >= abs($1.product) })
      #expect(Set(paths.map(\.nodes)).count == paths.count)
      #expect(analysis.strongestPaths(7)[output] == Array(paths.prefix(7)))
      for input in 0..<4 {
        let mine = paths.filter { $0.nodes.first == .input(input) }.map(\.product)
        let positive = mine.filter { $0 > 0 }.reduce(0, +)
        #expect(abs(positive - analysis.positive[output, input]) < 1e-12)
        let alone = analysis.strongestPaths(3, from: input)[output]
        #expect(alone == Array(paths.filter { $0.nodes.first == .input(input) }.prefix(3)))
      }
    }
  }

  @Test(arguments: [Activation.relu, .silu, .tanh])
  func everyJacobianLiesWithinTheGlobalBounds(activation: Activation) {
    var stream = RandomStream(seed: 11)
    let network = ExampleNetworks.random(
      [3, 7, 5, 2], density: 0.7, skip: true, activation: activation, &stream)
    let analysis = PathAnalysis(network)
    let evaluator = JacobianEvaluator(network)
    for _ in 0..<300 {
      let jacobian = evaluator.jacobian((0..<3).map { _ in 3 * stream.normal() })
      for index in jacobian.elements.indices {
        #expect(jacobian.elements[index] >= analysis.derivativeLow.elements[index] - 1e-12)
        #expect(jacobian.elements[index] <= analysis.derivativeHigh.elements[index] + 1e-12)
      }
    }
  }

  /// f = relu(x1 + 2 x2) − 3 relu(x2 − x3): x1 can only raise it, x3 too (two minus signs), x2 may do both.
  @Test func whatCanOnlyRiseOrFallIsNamed() {
    let network = ExampleNetworks.chain(
      [Matrix([[1, 2, 0, 0], [0, 1, -1, 0]]), Matrix([[1, -3]])], inputs: 4)
    let analysis = PathAnalysis(network)
    #expect(analysis.monotony(output: 0, input: 0) == .increasing)
    #expect(analysis.monotony(output: 0, input: 1) == nil)
    #expect(analysis.monotony(output: 0, input: 2) == .increasing)
    #expect(analysis.monotony(output: 0, input: 3) == nil)
    var falling = network
    falling.layers[1].connections[0].weight[0, 0] = -1
    #expect(PathAnalysis(falling).monotony(output: 0, input: 0) == .decreasing)
    // |1|·(1 + 2) + |−3|·(1 + 1)
    #expect(analysis.norm == 9)
    // SiLU may fall a little where ReLU does not: nothing is certain.
    var smooth = network
    smooth.layers[0].activation = .silu
    #expect(PathAnalysis(smooth).monotony(output: 0, input: 0) == nil)
  }

  @Test func forReLUChainsTheBoundsAreTheSignedStrengths() {
    var stream = RandomStream(seed: 12)
    let network = ExampleNetworks.random([3, 7, 5, 2], density: 0.7, skip: false, &stream)
    let analysis = PathAnalysis(network)
    let (low, high) = (analysis.derivativeLow, analysis.derivativeHigh)
    #expect((high - analysis.positive).elements.allSatisfy { abs($0) < 1e-12 })
    #expect((low + analysis.negative).elements.allSatisfy { abs($0) < 1e-12 })
  }
}

@Suite struct InvarianceTests {
  @Test func permutingNeuronsAndRescalingReLUsChangesNothing() {
    var stream = RandomStream(seed: 21)
    let network = ExampleNetworks.random([4, 6, 3], density: 0.6, skip: true, &stream)
    var changed = network
    var order = Array(0..<6)
    stream.shuffle(&order)
    let scale = (0..<6).map { _ in 0.25 + stream.uniform() }
    let hidden = network.layers[0]
    changed.layers[0].bias = order.map { hidden.bias[$0] * scale[$0] }
    changed.layers[0].connections[0].weight = Matrix(rows: 6, columns: 4) {
      hidden.connections[0].weight[order[$0], $1] * scale[order[$0]]
    }
    changed.layers[1].connections[0].weight = Matrix(rows: 3, columns: 6) {
      network.layers[1].connections[0].weight[$0, order[$1]] / scale[order[$1]]
    }
    let (before, after) = (PathAnalysis(network), PathAnalysis(changed))
    #expect(before.counts == after.counts)
    #expect(after.positive.deviation(from: before.positive) < 1e-12)
    #expect(after.negative.deviation(from: before.negative) < 1e-12)
    let point = (0..<4).map { _ in stream.normal() }
    let jacobian = JacobianEvaluator(network).jacobian(point)
    #expect(JacobianEvaluator(changed).jacobian(point).deviation(from: jacobian) < 1e-12)
  }

  @Test func towersSideBySideKeepTheirOwnPaths() {
    var stream = RandomStream(seed: 22)
    let towers = (0..<3).map { _ in
      ExampleNetworks.random([4, 5, 1], density: 0.5, skip: true, &stream)
    }
    let joined = PathAnalysis(Network.joined(towers))
    for (row, tower) in towers.enumerated() {
      let alone = PathAnalysis(tower)
      #expect(joined.counts[row] == alone.counts[0])
      #expect(Array(joined.positive.row(row)) == Array(alone.positive.row(0)))
    }
  }
}

@Suite struct LiveStructureTests {
  @Test(arguments: 1...10)
  func removingDeadPartsDoesNotChangeTheFunction(seed: UInt64) {
    var stream = RandomStream(seed: seed)
    let activation = [Activation.relu, .silu, .tanh][Int(seed) % 3]
    let network = ExampleNetworks.random(
      [5, 8, 8, 8, 2], density: 0.15, skip: seed.isMultiple(of: 2), activation: activation, &stream)
    let live = LiveStructure(network)
    for _ in 0..<50 {
      let point = (0..<5).map { _ in stream.normal() }
      let (a, b) = (network.evaluate(point), live.network.evaluate(point))
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-12 })
    }
    #expect(PathAnalysis(network).counts == PathAnalysis(live.network).counts)
  }

  @Test(arguments: 1...12)
  func theLivePartAsASmallerNetworkComputesTheSame(seed: UInt64) {
    var stream = RandomStream(seed: seed)
    let activation = [Activation.relu, .silu, .tanh][Int(seed) % 3]
    // From networks that are nearly whole to some in which nothing is left.
    let density = [0.6, 0.15, 0.04, 0][Int(seed) % 4]
    let network = ExampleNetworks.random(
      [5, 8, 7, 9, 2], density: density, skip: seed.isMultiple(of: 2), activation: activation,
      &stream)
    let live = LiveStructure(network)
    let part = live.smaller
    let hidden = part.layers.indices.filter { !part.outputLayers.contains($0) }
    #expect(hidden.reduce(0) { $0 + part.layers[$1].unitCount } == live.liveNeuronCount)
    #expect(part.survivingWeightCount == live.network.survivingWeightCount)
    #expect(LiveStructure(part).liveNeuronCount == live.liveNeuronCount)
    #expect(PathAnalysis(part).counts == PathAnalysis(network).counts)
    let points = Matrix(rows: 50, columns: 5) { _, _ in stream.normal() }
    #expect(LiveStructure.deviation(of: part, from: network, over: points) < 1e-14)
    var other = part
    other.layers[other.layers.count - 1].bias[0] += 1e-3
    #expect(LiveStructure.deviation(of: other, from: network, over: points) > 1e-5)
  }

  @Test func unitsAreToldApart() {
    // Unit 0 live, 1 without inputs, 2 without outputs, 3 neither.
    let network = ExampleNetworks.chain(
      [Matrix([[1, 0], [0, 0], [0, 2], [0, 0]]), Matrix([[3, 4, 0, 0]])], inputs: 2,
      biases: [[0, 0.5, 1, 1], [0]])
    let live = LiveStructure(network)
    #expect(live.states[0] == [.live, .constant(0.5), .unused, .constant(1)])
    #expect(live.network.layers[1].bias == [2])
    #expect(live.liveInputs == [true, false])
    #expect(live.liveNeuronCount == 1 && live.neuronCount == 4)
    #expect(live.network.survivingWeightCount == 2)
  }

  @Test func theCutDecidesWhatCounts() {
    let network = ExampleNetworks.chain([Matrix([[0.05, 1]]), Matrix([[1]])], inputs: 2)
    #expect(LiveStructure(network).liveInputs == [true, true])
    #expect(LiveStructure(network, cut: 0.1).liveInputs == [false, true])
  }
}
