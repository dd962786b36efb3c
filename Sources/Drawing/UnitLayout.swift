import Networks
import Structure

/// Where the live hidden units of a network stand: a column per depth, a band per tower, ordered
/// within each band so that edges cross little.
///
/// The order depends on the weights alone: renumbering the units of a network does not change its drawing.
struct UnitLayout {
  struct Place: Equatable {
    var column: Int
    /// In points, upwards.
    var y: Double
  }

  private(set) var places: [PathNode: Place] = [:]
  /// Heights of the outputs of these bands, by number.
  private(set) var outputHeights: [Int: Double] = [:]
  /// Numbers of the inputs from the top down.
  private(set) var inputOrder: [Int]
  let columnCount: Int
  let height: Double
  private let size: DrawingSize

  /// - Parameters:
  ///   - bands: layers that are connected with each other, from the top down; those of others are left out.
  ///   - movesEnds: whether inputs and outputs may change places as well, if there is one band.
  init(_ structure: LiveStructure, bands: [[Int]], size: DrawingSize, movesEnds: Bool = false) {
    self.size = size
    let network = structure.network
    let depth = Self.depths(network)
    let hidden = network.hiddenLayers.filter { layer in bands.contains { $0.contains(layer) } }
    columnCount =
      (hidden.filter { !structure.liveUnits($0).isEmpty }.map { depth[$0] }.max() ?? -1) + 1

    let order = Self.canonicalOrder(structure)
    /// By band and column, from the top down: layers beside each other stand one below the other.
    let columns = bands.map { band in
      Dictionary(grouping: band.filter(hidden.contains)) { depth[$0] }.mapValues { layers in
        layers.flatMap { layer in order[layer].map { PathNode.unit(layer: layer, index: $0) } }
      }
    }
    let ends = bands.map { band in
      network.outputUnits.filter { band.contains($0.layer) }.map {
        PathNode.unit(layer: $0.layer, index: $0.unit)
      }
    }
    /// Of the tallest column of the band, or of its outputs if there are more.
    let heights = zip(columns, ends).map { columns, ends in
      max(
        Double(columns.values.map(\.count).max() ?? 0) * size.unitStep,
        Double(ends.count) * size.boxStep)
    }
    height = heights.reduce(0, +) + size.bandGap * Double(max(0, bands.count - 1))

    var top = height
    var unitPlaces: [PathNode: Place] = [:]
    var outputPlaces: [PathNode: Double] = [:]
    for (number, bandHeight) in heights.enumerated() {
      let middle = top - bandHeight / 2
      func forEach(_ nodes: [PathNode], step: Double, _ body: (PathNode, Double) -> Void) {
        for (rank, node) in nodes.enumerated() {
          body(node, middle + step * (Double(nodes.count - 1) / 2 - Double(rank)))
        }
      }
      for (column, nodes) in columns[number] {
        forEach(nodes, step: Self.spacing(nodes.count, bandHeight, size)) {
          unitPlaces[$0] = Place(column: column, y: $1)
        }
      }
      forEach(ends[number], step: bandHeight / Double(max(1, ends[number].count))) {
        outputPlaces[$0] = $1
      }
      top -= bandHeight + size.bandGap
    }
    places = unitPlaces
    for (output, unit) in network.outputUnits.enumerated() {
      outputHeights[output] = outputPlaces[.unit(layer: unit.layer, index: unit.unit)]
    }
    inputOrder = Array(0..<network.inputCount)
    for band in bands {
      reduceCrossings(
        structure, band, depth, order, hidden: hidden, movesEnds: movesEnds && bands.count == 1)
    }
  }

  /// Few units of a tall band spread a little, but stay a group.
  private static func spacing(_ count: Int, _ bandHeight: Double, _ size: DrawingSize) -> Double {
    count > 1 ? min(size.unitStep * 1.8, bandHeight / Double(count)) : size.unitStep
  }

  func lifted(by distance: Double) -> UnitLayout {
    var result = self
    for node in places.keys { result.places[node]?.y += distance }
    result.outputHeights = outputHeights.mapValues { $0 + distance }
    return result
  }

  /// Live units of each layer in an order that does not depend on their numbers: by what they read, then by its
  /// weights.
  private static func canonicalOrder(_ structure: LiveStructure) -> [[Int]] {
    var order: [[Int]] = []
    var place: [[Int: Int]] = []
    /// Sources are numbered inputs first, then layer by layer.
    var first: [Int] = []
    var count = structure.network.inputCount
    for (number, layer) in structure.network.layers.enumerated() {
      first.append(count)
      count += layer.unitCount
      var keys: [Int: (sources: [Int], weights: [Double])] = [:]
      for unit in structure.liveUnits(number) {
        var read: [(source: Int, weight: Double)] = []
        for connection in layer.connections {
          for (column, weight) in connection.weight.row(unit).enumerated() where weight != 0 {
            switch connection.source {
            case .inputs: read.append((column, weight))
            case .layer(let source):
              read.append((first[source] + (place[source][column] ?? 0), weight))
            }
          }
        }
        read.sort { $0.source < $1.source }
        keys[unit] = (read.map(\.source), read.map(\.weight) + [layer.bias[unit]])
      }
      let units = keys.sorted { a, b in
        if a.value.sources != b.value.sources {
          return a.value.sources.lexicographicallyPrecedes(b.value.sources)
        }
        if a.value.weights != b.value.weights {
          return a.value.weights.lexicographicallyPrecedes(b.value.weights)
        }
        return a.key < b.key
      }.map(\.key)
      order.append(units)
      place.append(Dictionary(uniqueKeysWithValues: units.enumerated().map { ($1, $0) }))
    }
    return order
  }

  /// Number of hidden layers before each layer, along the longest way.
  private static func depths(_ network: Network) -> [Int] {
    var result: [Int] = []
    for layer in network.layers {
      let before = layer.connections.map { connection -> Int in
        if case .layer(let source) = connection.source { return result[source] + 1 }
        return 0
      }
      result.append(before.max() ?? 0)
    }
    return result
  }

  /// Within each column of a band, the order in which few edges cross.
  private mutating func reduceCrossings(
    _ structure: LiveStructure, _ band: [Int], _ depth: [Int], _ order: [[Int]], hidden: [Int],
    movesEnds: Bool
  ) {
    let units = (0..<columnCount).map { column in
      hidden.filter { band.contains($0) && depth[$0] == column }.flatMap { layer in
        order[layer].map { PathNode.unit(layer: layer, index: $0) }
      }
    }.filter { !$0.isEmpty }
    guard !units.isEmpty else { return }
    let columns = LayeredColumns(structure, between: units, outputsOf: Set(band))
    let last = columns.nodes.count - 1
    let ordering = LayerOrdering(
      counts: columns.nodes.map(\.count), edges: columns.edges,
      isFixed: columns.nodes.indices.map { !movesEnds && ($0 == 0 || $0 == last) })
    for (column, order) in ordering.order.enumerated().dropFirst().dropLast() {
      let nodes = columns.nodes[column]
      let slots = nodes.compactMap { places[$0]?.y }.sorted(by: >)
      for (slot, node) in zip(slots, order) { places[nodes[node]]?.y = slot }
    }
    guard movesEnds else { return }
    inputOrder = ordering.order[0]
    let outputs = outputHeights.keys.sorted()
    let slots = outputHeights.values.sorted(by: >)
    for (slot, place) in zip(slots, ordering.order[last]) { outputHeights[outputs[place]] = slot }
  }

  /// Pairs of edges between neighbouring columns that cross, inputs and outputs included; edges that pass a
  /// column do not count.
  func crossings(_ structure: LiveStructure, _ bands: [[Int]]) -> Int {
    let units = (0..<columnCount).map { column in
      places.filter { $0.value.column == column }.sorted { $0.value.y > $1.value.y }.map(\.key)
    }
    let columns = LayeredColumns(
      structure, between: units, outputsOf: Set(bands.joined()), inputs: inputOrder,
      outputs: { (outputHeights[$0] ?? 0) > (outputHeights[$1] ?? 0) })
    return LayerOrdering.crossings(counts: columns.nodes.map(\.count), edges: columns.edges)
  }
}

/// The columns of a drawing, inputs and outputs included, and the edges between neighbouring ones.
private struct LayeredColumns {
  let nodes: [[PathNode]]
  let edges: [[LayerOrdering.Edge]]

  /// - Parameters:
  ///   - layers: whose outputs are the last column.
  ///   - inputs: from the top down; in their own order where it is nil.
  ///   - areAbove: whether one output, by number, stands above another.
  init(
    _ structure: LiveStructure, between units: [[PathNode]], outputsOf layers: Set<Int>,
    inputs: [Int]? = nil, outputs areAbove: (Int, Int) -> Bool = { $0 < $1 }
  ) {
    let network = structure.network
    let outputs = network.outputUnits.indices
      .filter { layers.contains(network.outputUnits[$0].layer) }.sorted(by: areAbove)
      .map { network.outputUnits[$0] }.map { PathNode.unit(layer: $0.layer, index: $0.unit) }
    let first = (inputs ?? Array(0..<network.inputCount)).map(PathNode.input)
    let columns = [first] + units + [outputs]
    var place: [PathNode: (column: Int, number: Int)] = [:]
    for (column, nodes) in columns.enumerated() {
      for (number, node) in nodes.enumerated() { place[node] = (column, number) }
    }
    var edges = [[LayerOrdering.Edge]](repeating: [], count: columns.count - 1)
    for (index, layer) in network.layers.enumerated() {
      for connection in layer.connections {
        for unit in 0..<layer.unitCount {
          guard let to = place[.unit(layer: index, index: unit)], to.column > 0 else { continue }
          for (column, weight) in connection.weight.row(unit).enumerated() where weight != 0 {
            guard let from = place[PathNode(connection.source, column)],
              from.column == to.column - 1
            else { continue }
            edges[from.column].append(.init(source: from.number, target: to.number))
          }
        }
      }
    }
    nodes = columns
    self.edges = edges
  }
}

extension Network {
  var hiddenLayers: [Int] { layers.indices.filter { !outputLayers.contains($0) } }

  /// Layers that are connected with each other, in the order of their outputs: one band per tower.
  var bands: [[Int]] {
    var band = Array(layers.indices)
    func root(_ layer: Int) -> Int { band[layer] == layer ? layer : root(band[layer]) }
    for (index, layer) in layers.enumerated() {
      for connection in layer.connections {
        if case .layer(let source) = connection.source { band[root(source)] = root(index) }
      }
    }
    var order: [Int] = []
    for output in outputLayers where !order.contains(root(output)) {
      order.append(root(output))
    }
    return order.map { wanted in layers.indices.filter { root($0) == wanted } }
  }

}
