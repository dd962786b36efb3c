import Dynamics
import GraphDrawing
import LinearAlgebra
import Networks
import Structure

/// One member as a page shows it: its network with its strongest paths.
struct ExplorationNetwork {
  /// What is asked of it.
  struct Options: Sendable {
    var layout: NetworkDrawing.Layout?
    /// Share by which an output may change where units are folded away, over data.
    var tolerance: Double
    var mostWeights: Int
  }

  let view: ExplorationContent.View

  /// - Parameters:
  ///   - model: the member.
  ///   - name: what the view is called.
  ///   - member: its number.
  ///   - points: samples × inputs in physical units; nil without data.
  ///   - pairs: whose paths are told.
  ///   - options: how it is drawn.
  init(
    _ model: Model, name: String, member: Int, over points: Matrix?,
    pairs: [(output: Int, input: Int)], options: Options
  ) {
    let structure = LiveStructure(model.network)
    let counts = NetworkDescription.counts(structure, of: model)
    let bands = model.network.bands
    let isTowers = options.layout.map { $0 == .towers } ?? (bands.count > 1)
    if structure.network.survivingWeightCount > options.mostWeights {
      view = Self.grouped(model, structure, name, member, counts)
      return
    }
    let acting = points.map { ActingNetwork(model, over: $0, tolerance: options.tolerance) }
    let shown = ShownNetwork(model, acting: acting)
    let subject = NetworkPanel.Subject(
      shown, activity: points.map { UnitActivity(model, over: $0) })
    var drawing = NetworkDrawing.Options()
    drawing.layout = options.layout
    let scene = ExplorationScene(
      NetworkDrawing.body(subject, bands, isTowers ? .towers : .layers, drawing).graph)
    view = ExplorationContent.View(
      name: name, kind: .network, member: member, counts: counts,
      notes: acting.map { Self.notes($0) } ?? [], width: scene.width, height: scene.height,
      isRelative: isTowers && bands.count > 1, nodes: scene.nodes, edges: scene.edges,
      routes: Self.routes(shown.model, scene, bands, over: points, of: pairs))
  }

  /// A network of too many weights, by groups of units.
  private static func grouped(
    _ model: Model, _ structure: LiveStructure, _ name: String, _ member: Int, _ counts: String
  ) -> ExplorationContent.View {
    let coarse = CoarseModel(model, structure)
    let subject = NetworkPanel.Subject(
      ShownNetwork(coarse.model),
      description: NetworkDescription(coarse.model, groups: coarse.groups))
    let body = NetworkDrawing.body(
      subject, coarse.model.network.bands, .layers, NetworkDrawing.Options())
    let scene = ExplorationScene(body.graph, groups: coarse.groups)
    return ExplorationContent.View(
      name: name, kind: .groups, member: member, counts: counts,
      notes: [
        "drawn by groups of inputs and units, by weight: an edge is the root of the sum of the squares of all weights "
          + "between two groups"
      ], width: scene.width, height: scene.height, isRelative: false, nodes: scene.nodes,
      edges: scene.edges, routes: [])
  }

  private static func notes(_ acting: ActingNetwork) -> [String] {
    let folded = [
      (acting.lines.count, "that act as lines"), (acting.idle.count, "that never act"),
    ].filter { $0.0 > 0 }.map { "\($0.0) units \($0.1)" }
    guard !folded.isEmpty else { return [] }
    return [
      "\(folded.joined(separator: " and ")) are folded into the weights between their neighbours: no output changes by "
        + "more than \((100 * acting.deviation).significant(2)) % of its deviation (filigree-draw --fold 0 keeps every unit)"
    ]
  }

  // MARK: Paths

  private static func routes(
    _ model: Model, _ scene: ExplorationScene, _ bands: [[Int]], over points: Matrix?,
    of pairs: [(output: Int, input: Int)]
  ) -> [ExplorationContent.Route] {
    let network = LiveStructure(model.network).network
    let analysis = PathAnalysis(network)
    let found = Dictionary(grouping: pairs, by: \.input).sorted { $0.key < $1.key }.flatMap {
      input, pairs in
      let paths = analysis.strongestPaths(ExplorationLimits.candidates, from: input)
      return pairs.map { (output: $0.output, input: input, paths: paths[$0.output]) }
    }
    let activity = PathActivity(
      found.flatMap(\.paths), of: network, over: points.map(some), model.inputScaling)
    let outputs = Dictionary(
      network.outputUnits.enumerated().map {
        (PathNode.unit(layer: $1.layer, index: $1.unit), $0)
      }, uniquingKeysWith: { first, _ in first })
    return found.flatMap { output, input, paths in
      let band = bands.firstIndex { $0.contains(network.outputUnits[output].layer) }
      let told = paths.compactMap { path -> ExplorationContent.Route? in
        guard let nodes = scene.nodes(path.nodes, outputs: outputs, band: band) else { return nil }
        let acts = activity[path]
        return ExplorationContent.Route(
          output: output, input: input, nodes: nodes, product: path.product.significant(),
          effect: acts.map { (path.product * $0.meanSlope).significant() },
          active: acts?.activeShare.significant())
      }
      let order = told.indices.sorted {
        let (a, b) = (told[$0].size, told[$1].size)
        return a != b ? a > b : $0 < $1
      }
      return order.prefix(ExplorationLimits.routesOfPair).map { told[$0] }
    }
  }

  /// Samples enough for the effects of paths.
  private static func some(_ points: Matrix) -> Matrix {
    let most = ExplorationLimits.samplesOfRoutes
    let step = (points.rows + most - 1) / most
    return points.submatrix(
      rows: Array(stride(from: 0, to: points.rows, by: step)), columns: Array(0..<points.columns))
  }
}

extension ExplorationContent.Route {
  fileprivate var size: Double { abs(effect ?? product) }
}
