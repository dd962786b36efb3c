import Dynamics
import Foundation
import GraphDrawing
import Networks
import Structure

/// Some towers of a network with the inputs that they read, without title and legend: a part of a drawing, its
/// lower left corner near the origin.
struct NetworkPanel {
  /// What is drawn; all panels of a drawing share it.
  struct Subject {
    let model: Model
    let structure: LiveStructure
    let activity: UnitActivity?
    let description: NetworkDescription
    /// The weights that stand out, and what they connect; nil for all.
    let inFocus: (edges: Set<DrawingFocus.Edge>, nodes: Set<PathNode>)?
    /// What widths, colours and labels show instead of weights; nil for weights.
    let effects: ShownNetwork.Effects?
    let outputNumber: [PathNode: Int]

    init(
      _ shown: ShownNetwork, activity: UnitActivity? = nil, description: NetworkDescription? = nil
    ) {
      model = shown.model
      self.activity = activity
      self.description = description ?? NetworkDescription(model)
      effects = shown.effects
      structure = LiveStructure(model.network)
      inFocus = shown.inFocus.map { edges in
        (edges, Set(edges.flatMap { [$0.source, $0.target] }))
      }
      outputNumber = Dictionary(
        model.network.outputUnits.enumerated().map {
          (PathNode.unit(layer: $1.layer, index: $1.unit), $0)
        }, uniquingKeysWith: { first, _ in first })
    }

    /// The largest size of an edge.
    var strongest: Double { strongest(of: Array(model.network.layers.indices)) }

    /// The largest size of an edge into these layers.
    func strongest(of layers: [Int]) -> Double {
      guard let effects else { return structure.network.largestWeight(of: layers) }
      return structure.network.largest(of: layers) { effects.byWeight[$0][$1][$2, $3] }
    }

    func stands(_ node: PathNode) -> Bool { inFocus?.nodes.contains(node) ?? true }
  }

  /// Pairs of edges between neighbouring columns that cross.
  let crossings: Int

  private let subject: Subject
  private let strongest: Double
  private let bands: [[Int]]
  private let size: DrawingSize
  private let rows: UnitLayout
  private let inputs: VariableColumn
  private let outputs: VariableColumn
  /// Distance from the inputs to the first column: more where more edges leave the inputs.
  private let firstStep: Double

  private var model: Model { subject.model }
  private var structure: LiveStructure { subject.structure }

  /// - Parameters:
  ///   - bands: the layers to be drawn, by towers.
  ///   - inputs: by number; all where it is nil.
  ///   - widths: of the boxes of inputs and outputs, where panels are to be alike.
  ///   - strongest: the weight of the widest edge; the model's largest where it is nil.
  ///   - movesEnds: whether inputs and outputs may change places to save crossings, if there is one tower.
  init(
    _ subject: Subject, bands: [[Int]], inputs shown: [Int]? = nil, size: DrawingSize,
    prefix: String = "", widths: (inputs: Double, outputs: Double)? = nil, strongest: Double? = nil,
    movesEnds: Bool = false
  ) {
    self.subject = subject
    self.strongest = strongest ?? subject.strongest
    self.bands = bands
    self.size = size
    let model = subject.model
    let rows = UnitLayout(
      subject.structure, bands: bands, size: size, movesEnds: movesEnds && shown == nil)
    crossings = rows.crossings(subject.structure, bands)
    let inputNumbers = shown ?? rows.inputOrder
    let outputNumbers = rows.outputHeights.keys.sorted()

    let inputEdges = bands.joined().reduce(0) { count, layer in
      count
        + subject.structure.network.layers[layer].connections.filter { $0.source == .inputs }
        .reduce(0) { $0 + $1.weight.elements.count { $0 != 0 } }
    }
    firstStep = min(2.3 * size.columnStep, size.columnStep * (1 + 0.004 * Double(inputEdges)))
    let inputVariables = inputNumbers.map { model.inputs[$0] }
    let inputWidth =
      widths?.inputs ?? VariableColumn.width(of: inputVariables, isOutput: false, size: size)
    let outputWidth =
      widths?.outputs
      ?? VariableColumn.width(
        of: outputNumbers.map { model.outputs[$0] }, isOutput: true, size: size)
    let least = VariableColumn.leastHeight(inputVariables, isOutput: false, size: size)
    let height = max(rows.height, least + size.boxHeight)
    // Few boxes beside a tall network are gathered, so that their edges fan out.
    let inset = max(0, (height - max(least, min(height - size.boxHeight, 1.9 * least))) / 2)
    inputs = {
      var column = VariableColumn.spread(
        model.inputs, numbers: inputNumbers, x: inputWidth / 2, top: height - inset, bottom: inset,
        isOutput: false, size: size, width: inputWidth)
      column.prefix = prefix
      return column
    }()
    self.rows = rows.lifted(by: (height - rows.height) / 2)
    let right =
      inputWidth + firstStep + size.columnStep * Double(rows.columnCount) + outputWidth / 2
    let lifted = self.rows.outputHeights
    outputs = VariableColumn(
      variables: outputNumbers.map { model.outputs[$0] }, numbers: outputNumbers,
      centres: outputNumbers.map { Point(right, lifted[$0] ?? 0) }, width: outputWidth,
      isOutput: true, size: size)
  }

  /// - Parameter headings: whether to say what the columns are.
  func graph(headings: Bool) -> Graph {
    var graph = Graph(name: "panel")
    addEdges(&graph)
    let inputsInFocus = model.inputs.indices.map(inputStands)
    graph.nodes += inputs.nodes(live: liveInputs, inFocus: inputsInFocus)
    addUnits(&graph)
    let reached = model.network.outputUnits.map { structure.states[$0.layer][$0.unit] == .live }
    let outputsInFocus = model.network.outputUnits.map {
      subject.stands(.unit(layer: $0.layer, index: $0.unit))
    }
    graph.nodes += outputs.nodes(live: reached, inFocus: outputsInFocus)
    graph.nodes += effectTexts()
    if headings {
      graph.nodes += inputs.headings() + outputs.headings()
      addUnitHeading(&graph)
    }
    return graph
  }

  /// Whether an edge in focus leads from an input into these bands.
  private func inputStands(_ input: Int) -> Bool {
    guard let inFocus = subject.inFocus else { return true }
    return inFocus.edges.contains { edge in
      guard edge.source == .input(input), case .unit(let layer, _) = edge.target else {
        return false
      }
      return bands.contains { $0.contains(layer) }
    }
  }

  /// Whether some unit of these bands reads an input, by number.
  private var liveInputs: [Bool] { structure.network.inputsRead(by: bands.flatMap { $0 }) }

  // MARK: Places

  private func centre(_ node: PathNode) -> Point {
    switch node {
    case .input(let index): return inputs.centre(index)
    case .unit:
      if let output = subject.outputNumber[node] { return outputs.centre(output) }
      let place = rows.places[node] ?? UnitLayout.Place(column: 0, y: 0)
      return Point(inputs.width + firstStep + size.columnStep * Double(place.column), place.y)
    }
  }

  private func id(_ node: PathNode) -> String {
    switch node {
    case .input(let index): return inputs.nodeID(index)
    case .unit(let layer, let unit):
      return subject.outputNumber[node].map(outputs.nodeID) ?? "unit-\(layer)-\(unit)"
    }
  }

  private func departure(_ node: PathNode) -> Point {
    if case .input(let index) = node { return inputs.port(index) }
    let point = centre(node)
    return Point(point.x + size.unitDiameter / 2, point.y)
  }

  private func arrival(_ node: PathNode) -> Point {
    if let output = subject.outputNumber[node] { return outputs.port(output) }
    let point = centre(node)
    return Point(point.x - size.unitDiameter / 2, point.y)
  }

  // MARK: Parts

  private struct Weight {
    var source: PathNode
    var target: PathNode
    var value: Double
    /// What its width and its sign show.
    var size: Double
    var stands: Bool
  }

  /// What is in focus, and the strongest, last: they are drawn on top.
  private var weights: [Weight] {
    var weights: [Weight] = []
    for layer in bands.joined() {
      for (number, connection) in structure.network.layers[layer].connections.enumerated() {
        for unit in 0..<connection.weight.rows {
          let target = PathNode.unit(layer: layer, index: unit)
          for (column, value) in connection.weight.row(unit).enumerated() where value != 0 {
            let source = PathNode(connection.source, column)
            let stands =
              subject.inFocus?.edges.contains(.init(source: source, target: target)) ?? true
            let size = subject.effects?.byWeight[layer][number][unit, column] ?? value
            weights.append(
              Weight(source: source, target: target, value: value, size: size, stands: stands))
          }
        }
      }
    }
    return weights.sorted {
      if $0.stands != $1.stands { return $1.stands }
      return (abs($0.size), $1.source, $1.target) < (abs($1.size), $0.source, $0.target)
    }
  }

  private func addEdges(_ graph: inout Graph) {
    let units = rows.places.keys.map(centre)
    let scale = size.fontSize / 10
    for weight in weights {
      var attributes = DrawingStyle.edge(weight.size, strongest: strongest, scale: scale)
      if !weight.stands { DrawingStyle.fade(&attributes) }
      // The same in all layouts, however often an input is drawn.
      let source = id(weight.source)
      let plain =
        source.hasPrefix(inputs.prefix) ? source.dropFirst(inputs.prefix.count) : source[...]
      attributes["id"] = .keyword("\(plain)--\(id(weight.target))")
      attributes["tooltip"] = .text(
        subject.description.edge(
          weight.source, weight.target, weight.value,
          effect: subject.effects.map { _ in weight.size },
          sum: subject.effects?.sums[.init(source: weight.source, target: weight.target)]))
      var edge = Graph.Edge(
        id(weight.source), id(weight.target),
        along: curve(
          from: departure(weight.source), to: arrival(weight.target), clearOf: units), attributes)
      edge.data = data(of: weight)
      graph.add(edge)
    }
  }

  /// Standardised, for programs; where groups are drawn, how many weights an edge stands for.
  private func data(of weight: Weight) -> GraphData {
    var data: GraphData = [
      "weight": .number(weight.value), "sign": .integer(weight.size < 0 ? -1 : 1),
    ]
    if subject.effects != nil { data["effect"] = .number(weight.size) }
    if case .unit(let layer, _) = weight.target { data["layer"] = .text(layerName(layer)) }
    let gathered = DrawingFocus.Edge(source: weight.source, target: weight.target)
    if let count = subject.description.groups?.weights[gathered] {
      data["weights"] = .integer(count)
    }
    return data
  }

  /// The layer that an edge leads into, or a unit belongs to.
  private func layerName(_ layer: Int) -> String {
    let name = model.network.layers[layer].name
    return name.isEmpty ? "layer \(layer)" : name
  }

  /// The curve between two nodes that passes clear of the units between them, bent no more than it must be; where
  /// every bend meets some unit, the straightest.
  private func curve(from start: Point, to end: Point, clearOf units: [Point]) -> [Point] {
    let straight = DrawingStyle.curve(from: start, to: end)
    guard end.x - start.x > 1.5 * size.columnStep else { return straight }
    let between = units.filter { $0.x > start.x + 20 && $0.x < end.x - 20 }
    let bends = [0.0] + (1...6).flatMap { [Double($0), -Double($0)] }
    let clearance = size.unitDiameter / 2 + 1.5
    return bends.lazy.map {
      DrawingStyle.curve(from: start, to: end, bend: $0 * size.unitDiameter)
    }.first { curve in
      DrawingStyle.points(on: curve, 60).allSatisfy { point in
        between.allSatisfy { Double.hypot($0.x - point.x, $0.y - point.y) >= clearance }
      }
    } ?? straight
  }

  private func addUnits(_ graph: inout Graph) {
    for node in rows.places.keys.sorted() {
      guard case .unit(let layer, let unit) = node else { continue }
      let share = subject.activity?.shares[layer][unit]
      var attributes = DrawingStyle.unit(activeShare: share, isFaded: !subject.stands(node))
      attributes["penwidth"] = .number(size.fontSize / 10)
      attributes["id"] = .keyword(id(node))
      attributes["tooltip"] = .text(subject.description.unit(node, activeShare: share))
      var drawn = Graph.Node(
        id(node), at: centre(node), size: (size.unitDiameter, size.unitDiameter), attributes)
      drawn.data = [
        "name": .text(model.name(of: node)), "kind": .text("hidden"),
        "layer": .text(layerName(layer)),
      ]
      if let share { drawn.data?["active"] = .number(share) }
      graph.add(drawn)
    }
  }

  /// Left of the inputs of a panel with one output: what each does to it over the data, by all paths together.
  private func effectTexts() -> [Graph.Node] {
    guard let effects = subject.effects, outputs.numbers.count == 1, size != .thumbnail else {
      return []
    }
    let output = outputs.numbers[0]
    return zip(inputs.numbers, inputs.centres).map { input, centre in
      let (mean, magnitude) = (
        effects.meanJacobian[output, input], effects.meanMagnitude[output, input]
      )
      let text = DrawingStyle.signed(mean, magnitude: magnitude)
      let type = 0.9 * size.fontSize
      let width = VariableColumn.estimatedWidth(text) * type / 10 + 2
      return DrawingStyle.text(
        "\(inputs.prefix)effect-\(input)", text,
        at: Point(centre.x - inputs.width / 2 - 3 - width / 2, centre.y), width: width, size: type,
        colour: mean < 0 ? DrawingStyle.negative : DrawingStyle.positive)
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
}

extension Network {
  /// In magnitude.
  func largestWeight(of layers: [Int]) -> Double {
    largest(of: layers) { self.layers[$0].connections[$1].weight[$2, $3] }
  }

  /// The largest magnitude of what there is for each weight that is not zero, by layer, connection, unit and column.
  func largest(of layers: [Int], _ size: (Int, Int, Int, Int) -> Double) -> Double {
    var largest = 0.0
    for layer in layers {
      for (number, connection) in self.layers[layer].connections.enumerated() {
        for unit in 0..<connection.weight.rows {
          for (column, weight) in connection.weight.row(unit).enumerated() where weight != 0 {
            largest = max(largest, abs(size(layer, number, unit, column)))
          }
        }
      }
    }
    return largest
  }

  /// Which inputs some unit of these layers reads, by number.
  func inputsRead(by layers: [Int]) -> [Bool] {
    var result = [Bool](repeating: false, count: inputCount)
    for layer in layers {
      for connection in self.layers[layer].connections where connection.source == .inputs {
        for unit in 0..<connection.weight.rows {
          for (input, weight) in connection.weight.row(unit).enumerated() where weight != 0 {
            result[input] = true
          }
        }
      }
    }
    return result
  }
}
