import Drawing
import Dynamics
import GraphDrawing
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct NetworkDrawingTests {
  private let cell = ElectrolysisCell()

  /// Towers of the electrolysis cell's shape with random weights.
  private func towers(seed: UInt64, density: Double = 0.3) -> Model {
    var stream = RandomStream(seed: seed)
    return model(
      Network.joined(
        (0..<8).map { _ in
          ExampleNetworks.random([13, 9, 1], density: density, skip: true, &stream)
        }))
  }

  private func model(_ network: Network) -> Model {
    Model(
      network: network, inputs: cell.variables, outputs: cell.states.map(\.rate),
      inputScaling: .identity(13), outputScaling: .identity(8), timeStep: 10)
  }

  /// As in sums of networks of single inputs, with outputs in layers of their own.
  @Test func layersBesideEachOtherDoNotCoverEachOther() {
    func layer(_ name: String, _ units: Int, _ sources: [Network.Source]) -> Network.Layer {
      Network.Layer(
        name: name, activation: units > 1 ? .tanh : .identity,
        bias: [Double](repeating: 0, count: units),
        connections: sources.map { source in
          Network.Connection(
            source: source,
            weight: Matrix(rows: units, columns: source == .inputs ? 13 : 3) {
              Double($0 + 2 * $1 + 1)
            })
        })
    }
    let network = Network(
      inputCount: 13,
      layers: [layer("a", 3, [.inputs]), layer("b", 3, [.inputs])]
        + (0..<8).map { layer("y\($0)", 1, [.layer(0), .layer(1)]) },
      outputLayers: Array(2..<10))
    let graph = drawing(model(network)).graph
    #expect(graph.nodes.count { $0.kind.hasPrefix("unit") } == 6)
    #expect(graph.nodes.count { $0.kind.hasPrefix("output") } == 8)
    #expect(graph.overlaps.isEmpty, "\(graph.overlaps)")
  }

  private func drawing(_ model: Model, _ change: (inout NetworkDrawing.Options) -> Void = { _ in })
    -> NetworkDrawing
  {
    var options = NetworkDrawing.Options()
    change(&options)
    return NetworkDrawing(model, title: "t", options: options)
  }

  // MARK: Layouts

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func towersShowEveryWeightOnceAndCrossLess(seed: UInt64) {
    let model = towers(seed: seed)
    let live = LiveStructure(model.network)
    let panels = drawing(model)
    let layers = drawing(model) { $0.layout = .layers }
    for graph in [panels.graph, layers.graph] {
      let weights = graph.edges.filter { $0.kind.hasPrefix("weight") }
      #expect(weights.count == live.network.survivingWeightCount)
      #expect(Set(weights.map(\.drawingID)).count == weights.count)
      #expect(Set(graph.nodes.map(\.id)).count == graph.nodes.count)
    }
    #expect(
      Set(panels.graph.edges.map(\.drawingID)) == Set(layers.graph.edges.map(\.drawingID)).union([])
    )
    #expect(panels.crossings < layers.crossings)
  }

  /// What a tower does not read is not beside it.
  @Test func panelsHoldOnlyTheInputsThatTheirTowerReads() {
    let model = towers(seed: 3, density: 0.08)
    let graph = drawing(model).graph
    for node in graph.nodes where node.kind.hasPrefix("input") {
      #expect(graph.edges.contains { $0.from == node.id }, "\(node.id)")
      #expect(!node.kind.contains("dead"))
    }
  }

  /// The same network with its hidden units numbered otherwise is the same picture.
  @Test(arguments: 1...6 as ClosedRange<UInt64>, [true, false])
  func theNumbersOfUnitsDoNotMatter(seed: UInt64, isDeep: Bool) {
    var stream = RandomStream(seed: seed)
    let network =
      isDeep
      ? ExampleNetworks.random([13, 12, 10, 8], density: 0.25, skip: true, &stream)
      : towers(seed: seed).network
    var permuted = network
    for layer in network.layers.indices where !network.outputLayers.contains(layer) {
      var order = Array(0..<network.layers[layer].unitCount)
      stream.shuffle(&order)
      permuted = permuted.permuting(layer, by: order)
    }
    let (a, b) = (drawing(model(network)), drawing(model(permuted)))
    #expect(a.crossings == b.crossings)
    #expect(shapes(a.graph) == shapes(b.graph))
  }

  /// Where everything is and how it looks, without names.
  private func shapes(_ graph: Graph) -> [String] {
    let nodes = graph.nodes.map { node in
      "\(String(describing: node.frame)) \(node.kind) \(String(describing: node.attributes["label"]))"
    }
    let edges = graph.edges.map { edge in
      "\(edge.curve) \(edge.kind) \(String(describing: edge.attributes["penwidth"]))"
    }
    return (nodes + edges).sorted()
  }

  @Test func dotGetsNoPlaces() {
    let graph = drawing(towers(seed: 1)) { $0.layout = .dot }.graph
    #expect(graph.nodes.allSatisfy { $0.frame == nil } && graph.edges.allSatisfy(\.curve.isEmpty))
    #expect(throws: Never.self) { try Renderer.render(graph, as: .svg, layout: .dot) }
  }

  @Test func croppingLeavesOnlyWhatIsInFocus() {
    let model = towers(seed: 2)
    var focus = DrawingFocus()
    focus.outputs = [5]
    let faded = drawing(model) { $0.focus = focus }.graph
    let cropped = drawing(model) {
      $0.focus = focus
      $0.crops = true
    }.graph
    func ids(_ graph: Graph) -> Set<String> {
      Set(
        graph.edges.filter { $0.kind.hasPrefix("weight") && !$0.kind.hasSuffix("faded") }.map(
          \.drawingID))
    }
    #expect(!ids(cropped).isEmpty && ids(cropped) == ids(faded))
    #expect(cropped.edges.allSatisfy { !$0.kind.hasSuffix("faded") })
    #expect(cropped.nodes.filter { $0.kind.hasPrefix("output") }.map(\.id) == ["output-5"])
  }

  // MARK: Activity

  /// relu(x − 0.25), relu(−x − 2) and tanh(4 x) at x = −1, −0.5, 0, 0.5, 1: shares 2/5, 0 and 1/5 (the slope of
  /// tanh(z) exceeds 0.1 where |z| < 1.818).
  @Test func unitsAreFilledByTheShareOfSamplesAtWhichTheyAreActive() {
    func tower(_ activation: Activation, _ weight: [Double], _ bias: [Double]) -> Network {
      Network(
        inputCount: 1,
        layers: [
          .init(
            name: "h", activation: activation, bias: bias,
            connections: [
              .init(
                source: .inputs, weight: Matrix(rows: weight.count, columns: 1, elements: weight))
            ]),
          .init(
            name: "y", activation: .identity, bias: [0],
            connections: [
              .init(
                source: .layer(0),
                weight: Matrix(rows: 1, columns: weight.count, elements: weight.map { _ in 1 }))
            ]),
        ], outputLayers: [1])
    }
    let x = Variable("x", role: .state)
    let model = Model(
      network: Network.joined([tower(.relu, [1, -1], [-0.25, -2]), tower(.tanh, [4], [0])]),
      inputs: [x], outputs: [x.rate, Variable("y", role: .state).rate], inputScaling: .identity(1),
      outputScaling: .identity(2), timeStep: 1)
    let activity = UnitActivity(model, over: Matrix([[-1], [-0.5], [0], [0.5], [1]]))
    #expect(activity.shares[0] == [0.4, 0] && activity.shares[2] == [0.2])
    let graph = drawing(model) { $0.activity = activity }.graph
    let units = graph.nodes.filter { $0.kind.hasPrefix("unit") }
    #expect(units.count == 3)
    let inactive = units.filter { $0.kind == "unit hidden inactive" }
    #expect(inactive.count == 1 && inactive[0].attributes["fillcolor"] == "#FFFFFF")
    #expect(units.contains { $0.attributes["fillcolor"] == "#444444;0.4:#FFFFFF" })
    let tooltips = units.compactMap { $0.attributes["tooltip"] }
    #expect(tooltips.contains(.text("h.1: never active")))
    #expect(tooltips.contains(.text("h.0: active at 40 % of the samples")))
  }

  // MARK: Effects

  /// y = 5 tanh(a) − 4.9 tanh(a) + 0.5 tanh(b) + 9 relu(b − 30), a and u controls that an operator turns: by weight the
  /// strongest paths are those from a that cancel and the one that never acts; by effect they are b and the sum from a.
  @Test func theStrongestPathsAreThoseThatAct() throws {
    let inputs = [Variable("a", role: .control), Variable("b", role: .state)]
    let hidden = Network.Layer(
      name: "h", activation: .tanh, bias: [0, 0, 0],
      connections: [.init(source: .inputs, weight: Matrix([[1, 0], [1, 0], [0, 1]]))])
    let rare = Network.Layer(
      name: "r", activation: .relu, bias: [-30],
      connections: [.init(source: .inputs, weight: Matrix([[0, 1]]))])
    let output = Network.Layer(
      name: "y", activation: .identity, bias: [0],
      connections: [
        .init(source: .layer(0), weight: Matrix([[5, -4.9, 0.5]])),
        .init(source: .layer(1), weight: Matrix([[9]])),
      ])
    let model = Model(
      network: Network(inputCount: 2, layers: [hidden, rare, output], outputLayers: [2]),
      inputs: inputs, outputs: [inputs[1].rate], inputScaling: .identity(2),
      outputScaling: .identity(1), timeStep: 1)
    var stream = RandomStream(seed: 2)
    let data = Matrix(rows: 300, columns: 2) { _, _ in stream.normal() }
    func edges(_ isByEffect: Bool, crops: Bool) -> [Graph.Edge] {
      drawing(model) {
        $0.focus.strongest = 2
        $0.crops = crops
        if isByEffect { $0.acting = ActingNetwork(model, over: data) }
      }.graph.edges.filter { $0.kind.hasPrefix("weight") && !$0.kind.hasSuffix("faded") }
    }
    #expect(!Set(edges(false, crops: true).map(\.drawingID)).contains("input-0--output-0"))
    for crops in [true, false] {
      let shown = edges(true, crops: crops)
      #expect(
        Set(shown.map(\.drawingID)) == [
          "input-0--output-0", "input-1--unit-0-2", "unit-0-2--output-0",
        ])
      let sum = try #require(shown.first { $0.drawingID == "input-0--output-0" })
      #expect(sum.tooltip?.contains("the sum of 2 paths that cancel") == true)
      #expect(sum.kind == "weight positive")
    }
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func drawingsByEffectOverlapNowhereAndNameTheMeanEffects(seed: UInt64) {
    let model = towers(seed: seed)
    var stream = RandomStream(seed: seed)
    let data = Matrix(rows: 200, columns: 13) { _, _ in stream.normal() }
    let acting = ActingNetwork(model, over: data)
    let graph = drawing(model) { $0.acting = acting }.graph
    #expect(graph.overlaps.isEmpty, "\(graph.overlaps)")
    #expect(
      graph.edges.count { $0.kind.hasPrefix("weight") } == acting.network.survivingWeightCount)
    let numbers = graph.nodes.filter { $0.id.contains("effect-") }
    #expect(numbers.count == graph.nodes.count { $0.kind.hasPrefix("input") })
    #expect(Set(graph.nodes.map(\.id)).count == graph.nodes.count)
  }

  // MARK: Large networks

  @Test func largeNetworksAreGatheredAndNothingIsLost() throws {
    var stream = RandomStream(seed: 4)
    let network = ExampleNetworks.random([60, 50, 40, 5], density: 0.3, skip: true, &stream)
    let names = (0..<60).map { Variable("x\($0)", role: $0 < 30 ? .state : .control) }
    let model = Model(
      network: network, inputs: names, outputs: names.prefix(5).map(\.rate),
      inputScaling: .identity(60), outputScaling: .identity(5), timeStep: 1)
    let live = LiveStructure(network).network
    let whole = drawing(model) { $0.mostEdges = live.survivingWeightCount }
    #expect(whole.graph.edges.count { $0.kind.hasPrefix("weight") } == live.survivingWeightCount)
    let gathered = drawing(model) { $0.mostEdges = live.survivingWeightCount - 1 }.graph
    let edges = gathered.edges.filter { $0.kind.hasPrefix("weight") }
    #expect(edges.count < live.survivingWeightCount / 2)
    #expect(gathered.summary.contains("gathered into \(edges.count) edges between groups"))
    // "x0 … x3 → h1.0: 12 weights, …"
    let counts = try edges.map { edge in
      let text = try #require(edge.tooltip)
      return try #require(Int(text.split(separator: ": ")[1].prefix { $0.isNumber }))
    }
    #expect(counts.reduce(0, +) == live.survivingWeightCount)
    let labels = gathered.nodes.compactMap { $0.kind.hasPrefix("input") ? $0.tooltip : nil }
    #expect(labels.count <= 32 && labels.allSatisfy { $0.contains(" … ") })
  }

  // MARK: Galleries

  @Test func galleriesHoldEveryWeightOfEveryMember() {
    let members = (1...3).map { towers(seed: $0) }
    let graph = EnsembleGallery(Ensemble(name: "e", members: members), title: "three").graph
    for (number, member) in members.enumerated() {
      let count = graph.edges.count {
        $0.drawingID.hasPrefix("member-\(number)-") && $0.kind.hasPrefix("weight")
      }
      #expect(count == LiveStructure(member.network).network.survivingWeightCount)
    }
    #expect(Set(graph.nodes.map(\.id)).count == graph.nodes.count)
    #expect(graph.overlaps.isEmpty, "\(graph.overlaps)")
  }

  /// Members that are the same function with other numbers of units look alike.
  @Test func equalStructuresLookAlikeInAGallery() {
    var stream = RandomStream(seed: 8)
    let network = ExampleNetworks.random([13, 10, 8], density: 0.2, skip: false, &stream)
    let other = network.permuting(0, by: [3, 1, 4, 0, 9, 2, 6, 8, 7, 5])
    let graph = EnsembleGallery(
      Ensemble(name: "e", members: [model(network), model(other)]), title: "two"
    ).graph
    func places(_ member: Int) -> [[Double]] {
      let frames = graph.nodes.filter {
        $0.id.hasPrefix("member-\(member)-unit") || $0.id.hasPrefix("member-\(member)-input")
      }.compactMap(\.frame)
      let left = frames.map(\.left).min() ?? 0
      let bottom = frames.map(\.bottom).min() ?? 0
      return frames.map { [($0.left - left).rounded(), ($0.bottom - bottom).rounded()] }
        .sorted { $0.lexicographicallyPrecedes($1) }
    }
    #expect(places(0) == places(1))
  }

  // MARK: Sheets and sizes

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func columnsOfASheetAreAsLowAsCanBe(seed: UInt64) {
    var stream = RandomStream(seed: seed)
    let heights = (0..<7).map { _ in stream.uniform() }
    func height(_ split: [[Int]]) -> Double {
      split.map { $0.reduce(0) { $0 + heights[$1] } }.max() ?? 0
    }
    let split = Sheet.balanced(heights, into: 3)
    #expect(split.flatMap { $0 } == Array(0..<7) && split.count == 3)
    for first in 0...7 {
      for second in first...7 {
        let other = [Array(0..<first), Array(first..<second), Array(second..<7)]
        #expect(height(split) <= height(other) + 1e-12)
      }
    }
  }

  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func nothingOverlaps(seed: UInt64) {
    let model = towers(seed: seed)
    for layout in [NetworkDrawing.Layout.towers, .layers] {
      let graph = drawing(model) { $0.layout = layout }.graph
      #expect(graph.overlaps.isEmpty, "\(graph.overlaps)")
    }
  }
}

extension Network {
  /// The same function with the units of a hidden layer in another order.
  fileprivate func permuting(_ layer: Int, by order: [Int]) -> Network {
    var result = self
    result.layers[layer].bias = order.map { layers[layer].bias[$0] }
    for number in layers[layer].connections.indices {
      let weight = layers[layer].connections[number].weight
      result.layers[layer].connections[number].weight = weight.submatrix(
        rows: order, columns: Array(0..<weight.columns))
    }
    for reader in layers.indices {
      for number in layers[reader].connections.indices
      where layers[reader].connections[number].source == .layer(layer) {
        let weight = layers[reader].connections[number].weight
        result.layers[reader].connections[number].weight = weight.submatrix(
          rows: Array(0..<weight.rows), columns: order)
      }
    }
    return result
  }
}
