import Drawing
import Dynamics
import GraphDrawing
import LinearAlgebra
import Networks
import Structure
import TestSupport
import Testing

@Suite struct DrawingTests {
  /// Two towers, a skip, a dead unit and an input that reaches nothing.
  private var model: Model {
    let state = Variable("T", unit: "°C", longName: "temperature", role: .state)
    let mass = Variable("m", unit: "kg", role: .state)
    let control = Variable("u", unit: "A", role: .control)
    func tower(_ name: String, _ hidden: Matrix, _ output: Matrix, _ skip: Matrix) -> Network {
      Network(
        inputCount: 3,
        layers: [
          Network.Layer(
            name: "\(name).h1", activation: .relu, bias: [0.25, 0.5],
            connections: [.init(source: .inputs, weight: hidden)]),
          Network.Layer(
            name: name, activation: .identity, bias: [0],
            connections: [
              .init(source: .layer(0), weight: output), .init(source: .inputs, weight: skip),
            ]),
        ], outputLayers: [1])
    }
    let towers = [
      tower("T", Matrix([[1, -2, 0], [0, 0, 0]]), Matrix([[0.5, 3]]), Matrix([[-1, 0, 0]])),
      tower("m", Matrix([[0.5, 0, 0], [1, 0, 0]]), Matrix([[-0.25, 1]]), Matrix([[0, 0, 0]])),
    ]
    return Model(
      network: Network.joined(towers), inputs: [state, mass, control],
      outputs: [state.rate, mass.rate], inputScaling: .identity(3), outputScaling: .identity(2),
      timeStep: 1)
  }

  @Test func theNetworkDrawingIsTheRecordedOne() throws {
    #expect(try Golden.matches(NetworkDrawing(model, title: "two towers").graph.dot, "network.dot"))
  }

  @Test func theDependencyDrawingIsTheRecordedOne() async throws {
    let graph = try await dependencies()
    #expect(try Golden.matches(graph.dot, "dependency.dot"))
  }

  private func dependencies() async throws -> Graph {
    let data = try Trajectories(
      variables: model.inputs, timeStep: 1,
      samples: [Matrix([[0, 0, 0], [1, 2, 3], [-1, 0.5, 2], [2, -3, 1]])])
    let ensemble = Ensemble(name: "towers", members: [model])
    let relevance = try await EnsembleRelevance(ensemble, over: data, threads: 1)
    return PairDrawing.dependencies(
      PairDrawing.Chosen(ensemble, relevance: relevance, rule: .relevant()), title: "towers"
    ).graph(.columns)
  }

  @Test func everySurvivingWeightIsAnEdgeAndEveryLiveUnitANode() {
    let graph = NetworkDrawing(model, title: "two towers").graph
    let weights = graph.edges.filter {
      if case .keyword(let name)? = $0.attributes["class"] {
        name.hasPrefix("weight")
      } else {
        false
      }
    }
    let live = LiveStructure(model.network)
    #expect(weights.count == live.network.survivingWeightCount)
    let units = graph.nodes.filter { $0.id.hasPrefix("unit-") }
    #expect(units.count == live.liveNeuronCount)
    #expect(Set(graph.nodes.map(\.id)).count == graph.nodes.count)
    #expect(Set(weights.compactMap { "\($0.attributes["id"]!)" }).count == weights.count)
  }

  private func ids(_ graph: Graph, faded: Bool) -> Set<String> {
    Set(
      graph.edges.compactMap { edge in
        guard case .keyword(let name)? = edge.attributes["class"], name.hasPrefix("weight"),
          name.hasSuffix(" faded") == faded, case .keyword(let id)? = edge.attributes["id"]
        else { return nil }
        return id
      })
  }

  /// The towers: T = 0.5 relu(T − 2 m) − T and m = −0.25 relu(T/2) + relu(T).
  @Test func focusBringsOutPathsAndFadesTheRest() {
    func drawing(_ focus: DrawingFocus) -> Graph {
      var options = NetworkDrawing.Options()
      options.focus = focus
      return NetworkDrawing(model, title: "t", options: options).graph
    }
    let all = ids(drawing(DrawingFocus()), faded: false)
    #expect(ids(drawing(DrawingFocus()), faded: true).isEmpty && all.count == 8)
    let heat = drawing(DrawingFocus(outputs: [0]))
    #expect(ids(heat, faded: false).count == 4 && ids(heat, faded: true).count == 4)
    let mass = drawing(DrawingFocus(inputs: [1]))
    #expect(ids(mass, faded: false) == ["input-1--unit-0-0", "unit-0-0--output-0"])
    let strongest = drawing(DrawingFocus(outputs: [0], strongest: 1))
    #expect(ids(strongest, faded: false).count <= 2)
    #expect(ids(drawing(DrawingFocus(outputs: [1], inputs: [1])), faded: false).isEmpty)
    // What fades is still there, and so is everything else.
    for graph in [heat, mass, strongest] {
      #expect(ids(graph, faded: false).union(ids(graph, faded: true)) == all)
      #expect(graph.nodes.count == drawing(DrawingFocus()).nodes.count)
    }
  }

  @Test func signIsToldByColourAndByDashes() {
    let edges = NetworkDrawing(model, title: "two towers").graph.edges
    for edge in edges where edge.attributes["class"] == "weight negative" {
      #expect(edge.attributes["style"] == "dashed")
    }
    let styles = Set(edges.map { "\(String(describing: $0.attributes["style"]))" })
    #expect(styles.count == 2)
  }

  @Test(arguments: 1...5)
  func nothingOverlaps(seed: UInt64) throws {
    var stream = RandomStream(seed: seed)
    let network = ExampleNetworks.random([13, 20, 20, 8], density: 0.2, skip: true, &stream)
    let cell = ElectrolysisCell()
    let model = Model(
      network: network, inputs: cell.variables, outputs: cell.states.map(\.rate),
      inputScaling: .identity(13), outputScaling: .identity(8), timeStep: 10)
    let graph = NetworkDrawing(model, title: "random").graph
    #expect(graph.overlaps.isEmpty, "\(graph.overlaps)")
  }
}
