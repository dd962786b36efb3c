import Dynamics
import Foundation
import GraphDrawing
import Networks

/// A pruned network as people print it: inputs on the left, rates on the right, between them what is
/// left of the hidden layers, each tower a band beside its output. Dead units are not drawn.
public struct NetworkDrawing {
  /// Pairs of edges between neighbouring columns that cross.
  public let crossings: Int

  private let model: Model
  private let title: String
  private let structure: LiveStructure
  private let rows: UnitLayout
  private let inputs: VariableColumn
  private let outputs: VariableColumn
  private let strongest: Double
  private let outputNumber: [PathNode: Int]
  /// The weights that stand out, and what they connect; nil for all.
  private let inFocus: (edges: Set<DrawingFocus.Edge>, nodes: Set<PathNode>)?

  /// Distance between columns of units, in points.
  private static let columnStep = 130.0
  /// Distance from the inputs to the first column: more where more edges leave the inputs.
  private let firstStep: Double

  public init(_ model: Model, title: String, focus: DrawingFocus = DrawingFocus()) {
    self.model = model
    self.title = title
    outputNumber = Dictionary(
      model.network.outputUnits.enumerated().map {
        (PathNode.unit(layer: $1.layer, index: $1.unit), $0)
      }, uniquingKeysWith: { first, _ in first })
    structure = LiveStructure(model.network)
    if focus.isEverything {
      inFocus = nil
    } else {
      let edges = focus.edges(of: structure.network)
      inFocus = (edges, Set(edges.flatMap { [$0.source, $0.target] }))
    }
    let rows = UnitLayout(structure)
    crossings = rows.crossings(structure)
    let inputEdges = structure.network.layers.reduce(0) { count, layer in
      count
        + layer.connections.filter { $0.source == .inputs }
        .reduce(0) { $0 + $1.weight.elements.count { $0 != 0 } }
    }
    firstStep = min(300, Self.columnStep + 0.5 * Double(inputEdges))
    let inputWidth = VariableColumn.width(of: model.inputs, isOutput: false)
    let outputWidth = VariableColumn.width(of: model.outputs, isOutput: true)
    let height = max(
      rows.height, Double(model.inputs.count) * (VariableColumn.boxHeight + 10))
    // Few boxes beside a tall network are gathered, so that their edges fan out.
    let inset = max(0, (height - Double(model.inputs.count) * 56) / 2)
    inputs = .spread(
      model.inputs, x: 0, top: height - inset, bottom: inset, isOutput: false)
    let lift = (height - rows.height) / 2
    self.rows = rows.lifted(by: lift)
    let right =
      inputWidth / 2 + firstStep + Self.columnStep * Double(rows.columnCount) + outputWidth / 2
    outputs = VariableColumn(
      variables: model.outputs,
      centres: self.rows.outputHeights.map { Point(right, $0) }, width: outputWidth, isOutput: true)
    strongest =
      structure.network.layers.flatMap { $0.connections.flatMap { $0.weight.elements } }
      .map(abs).max() ?? 0
  }

  public var graph: Graph {
    let paths = PathAnalysis(structure.network)
    let counts =
      "\(structure.network.survivingWeightCount) of \(model.network.weightCount) weights, "
      + "\(structure.liveNeuronCount) of \(structure.neuronCount) hidden units, "
      + "\(paths.totalCount.map(DrawingStyle.grouped) ?? "more than 2⁶⁴") paths, "
      + "\(paths.connectedPairs) of \(model.inputs.count * model.outputs.count) pairs"
    let crossings = "\(DrawingStyle.grouped(UInt64(crossings))) crossings of edges"
    var graph = DrawingStyle.graph("network", description: "\(title): \(counts), \(crossings)")
    addEdges(&graph)
    func stands(_ node: PathNode) -> Bool { inFocus?.nodes.contains(node) ?? true }
    let inputsInFocus = model.inputs.indices.map { stands(.input($0)) }
    for node in inputs.nodes(live: structure.liveInputs, inFocus: inputsInFocus) { graph.add(node) }
    addUnits(&graph)
    let reached = model.network.outputUnits.map { structure.states[$0.layer][$0.unit] == .live }
    let outputsInFocus = model.network.outputUnits.map {
      stands(.unit(layer: $0.layer, index: $0.unit))
    }
    for node in outputs.nodes(live: reached, inFocus: outputsInFocus) { graph.add(node) }
    for node in inputs.headings() + outputs.headings() { graph.add(node) }
    addUnitHeading(&graph)
    Captions(
      title: title, counts: counts, caption: Self.caption(model.recipe), scale: "weight",
      strongest: strongest, left: left, right: right, top: top, bottom: bottom
    ).add(to: &graph)
    return graph
  }

  // MARK: Places

  private var top: Double {
    ((inputs.centres + outputs.centres).map(\.y) + rows.places.values.map(\.y)).max() ?? 0
  }
  private var bottom: Double {
    ((inputs.centres + outputs.centres).map(\.y) + rows.places.values.map(\.y)).min() ?? 0
  }
  private var right: Double { (outputs.centres.first?.x ?? 0) + outputs.width / 2 }
  private var left: Double { -inputs.width / 2 }

  private func centre(_ node: PathNode) -> Point {
    switch node {
    case .input(let index): return inputs.centres[index]
    case .unit(let layer, let unit):
      if let output = outputIndex(layer, unit) { return outputs.centres[output] }
      let place = rows.places[node] ?? UnitLayout.Place(column: 0, y: 0)
      return Point(
        inputs.width / 2 + firstStep + Self.columnStep * Double(place.column), place.y)
    }
  }

  private func outputIndex(_ layer: Int, _ unit: Int) -> Int? {
    outputNumber[.unit(layer: layer, index: unit)]
  }

  private func id(_ node: PathNode) -> String {
    switch node {
    case .input(let index): return inputs.nodeID(index)
    case .unit(let layer, let unit):
      return outputIndex(layer, unit).map(outputs.nodeID) ?? "unit-\(layer)-\(unit)"
    }
  }

  private func departure(_ node: PathNode) -> Point {
    if case .input(let index) = node { return inputs.port(index) }
    let point = centre(node)
    return Point(point.x + UnitLayout.diameter / 2, point.y)
  }

  private func arrival(_ node: PathNode) -> Point {
    if case .unit(let layer, let unit) = node, let output = outputIndex(layer, unit) {
      return outputs.port(output)
    }
    let point = centre(node)
    return Point(point.x - UnitLayout.diameter / 2, point.y)
  }

  // MARK: Parts

  private func addEdges(_ graph: inout Graph) {
    var weights: [(source: PathNode, target: PathNode, weight: Double)] = []
    for (layer, content) in structure.network.layers.enumerated() {
      for connection in content.connections {
        for unit in 0..<content.unitCount {
          for column in 0..<connection.weight.columns {
            let weight = connection.weight[unit, column]
            if weight == 0 { continue }
            let source = PathNode(connection.source, column)
            weights.append((source, .unit(layer: layer, index: unit), weight))
          }
        }
      }
    }
    func stands(_ edge: (source: PathNode, target: PathNode, weight: Double)) -> Bool {
      inFocus?.edges.contains(.init(source: edge.source, target: edge.target)) ?? true
    }
    // What is in focus, and the strongest, are drawn last, on top.
    weights.sort {
      let (a, b) = (stands($0), stands($1))
      if a != b { return b }
      return (abs($0.weight), $1.source, $1.target) < (abs($1.weight), $0.source, $0.target)
    }
    for (source, target, weight) in weights {
      var attributes = DrawingStyle.edge(weight, strongest: strongest)
      if !stands((source, target, weight)) { DrawingStyle.fade(&attributes) }
      attributes["id"] = .keyword("\(id(source))--\(id(target))")
      attributes["tooltip"] = .text(
        "\(model.name(of: source)) → \(model.name(of: target)): weight \(DrawingStyle.number(weight))"
      )
      graph.add(
        Graph.Edge(
          id(source), id(target),
          along: curve(from: departure(source), to: arrival(target)), attributes))
    }
  }

  /// The curve between two nodes that passes clear of the units between them, bent no more than it
  /// must be; where every bend meets some unit, the straightest.
  private func curve(from start: Point, to end: Point) -> [Point] {
    let between = rows.places.keys.map(centre).filter { $0.x > start.x + 20 && $0.x < end.x - 20 }
    let bends = [0.0] + (1...6).flatMap { [9.0 * Double($0), -9.0 * Double($0)] }
    let candidates = bends.map { DrawingStyle.curve(from: start, to: end, bend: $0) }
    let clearance = UnitLayout.diameter / 2 + 1.5
    return candidates.first { curve in
      DrawingStyle.points(on: curve, 60).allSatisfy { point in
        between.allSatisfy { hypot($0.x - point.x, $0.y - point.y) >= clearance }
      }
    } ?? candidates[0]
  }

  private func addUnits(_ graph: inout Graph) {
    for node in rows.places.keys.sorted() {
      let isFaded = inFocus.map { !$0.nodes.contains(node) } ?? false
      let colours = isFaded ? DrawingStyle.fadedColours : DrawingStyle.hiddenColours
      graph.add(
        Graph.Node(
          id(node), at: centre(node), size: (UnitLayout.diameter, UnitLayout.diameter),
          [
            "shape": "circle", "style": "filled", "fillcolor": .keyword(colours.fill),
            "color": .keyword(colours.line), "penwidth": 1.0, "id": .keyword(id(node)),
            "class": isFaded ? "unit hidden faded" : "unit hidden",
            "tooltip": .text(model.name(of: node)),
          ]))
    }
  }

  private func addUnitHeading(_ graph: inout Graph) {
    guard let highest = rows.places.max(by: { ($0.value.y, $1.key) < ($1.value.y, $0.key) }) else {
      return
    }
    let place = centre(highest.key)
    graph.add(
      DrawingStyle.text(
        "heading-hidden", "hidden units", at: Point(place.x, place.y + 15), width: 60, size: 9,
        colour: DrawingStyle.faint))
  }

  private static func caption(_ recipe: [String: String]) -> String {
    guard let towers = recipe["towers"] else { return "" }
    var parts = ["towers \(towers)"]
    if let hidden = recipe["hidden"] { parts.append("hidden \(hidden)") }
    if let activation = recipe["activation"] { parts.append(activation) }
    if recipe["skip"] == "true" { parts.append("linear skip") }
    if let sparsifier = recipe["sparsifier"] {
      parts.append(
        sparsifier == "none" ? "dense" : "\(sparsifier), λ = \(recipe["strength"] ?? "")")
    }
    return parts.joined(separator: " · ")
  }
}
