import Networks

/// Where the live hidden units of a network stand: a column per depth, a band per tower, ordered
/// within each band so that edges cross little.
struct UnitLayout {
  static let diameter = 9.0
  private static let unitStep = 14.0
  private static let bandGap = 16.0
  private static let leastBand = 30.0

  struct Place: Equatable {
    var column: Int
    /// In points, upwards.
    var y: Double
  }

  private(set) var places: [PathNode: Place] = [:]
  /// Heights of the outputs, in their order.
  private(set) var outputHeights: [Double] = []
  let columnCount: Int
  let height: Double

  init(_ structure: LiveStructure) {
    let network = structure.network
    let depth = Self.depths(network)
    let bands = Self.bands(network)
    let hidden = network.layers.indices.filter { !network.outputLayers.contains($0) }
    columnCount = (hidden.map { depth[$0] }.max() ?? -1) + 1

    /// Most live units of any layer of the band, or its outputs if there are more.
    func content(_ band: [Int]) -> (tallest: Int, outputs: Int) {
      let tallest = band.filter(hidden.contains).map { structure.liveUnits($0).count }.max() ?? 0
      let outputs = band.filter(network.outputLayers.contains)
        .reduce(0) { $0 + network.layers[$1].unitCount }
      return (tallest, outputs)
    }
    let heights = bands.map { band in
      let (tallest, outputs) = content(band)
      return max(Double(tallest) * Self.unitStep, Double(outputs) * Self.leastBand)
    }
    height = heights.reduce(0, +) + Self.bandGap * Double(max(0, bands.count - 1))

    var top = height
    var outputPlaces: [PathNode: Double] = [:]
    for (band, bandHeight) in zip(bands, heights) {
      let middle = top - bandHeight / 2
      for layer in band {
        let isOutput = network.outputLayers.contains(layer)
        let units =
          isOutput ? Array(0..<network.layers[layer].unitCount) : structure.liveUnits(layer)
        let step =
          isOutput
          ? bandHeight / Double(max(1, units.count)) : Self.spacing(units.count, bandHeight)
        for (rank, unit) in units.enumerated() {
          let y = middle + step * (Double(units.count - 1) / 2 - Double(rank))
          let node = PathNode.unit(layer: layer, index: unit)
          if isOutput {
            outputPlaces[node] = y
          } else {
            places[node] = Place(column: depth[layer], y: y)
          }
        }
      }
      top -= bandHeight + Self.bandGap
    }
    outputHeights = network.outputUnits.map {
      outputPlaces[.unit(layer: $0.layer, index: $0.unit)] ?? 0
    }
    reduceCrossings(structure, bands, depth, hidden: hidden)
  }

  /// Few units of a tall band spread a little, but stay a group.
  private static func spacing(_ count: Int, _ bandHeight: Double) -> Double {
    count > 1 ? min(unitStep * 1.8, bandHeight / Double(count)) : unitStep
  }

  func lifted(by distance: Double) -> UnitLayout {
    var result = self
    for node in places.keys { result.places[node]?.y += distance }
    result.outputHeights = outputHeights.map { $0 + distance }
    return result
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

  /// Layers that are connected with each other, in the order of their outputs: one band per tower.
  private static func bands(_ network: Network) -> [[Int]] {
    var band = Array(network.layers.indices)
    func root(_ layer: Int) -> Int { band[layer] == layer ? layer : root(band[layer]) }
    for (index, layer) in network.layers.enumerated() {
      for connection in layer.connections {
        if case .layer(let source) = connection.source { band[root(source)] = root(index) }
      }
    }
    var order: [Int] = []
    for output in network.outputLayers where !order.contains(root(output)) {
      order.append(root(output))
    }
    return order.map { wanted in network.layers.indices.filter { root($0) == wanted } }
  }

  /// Within each band and column, the order in which few edges cross; inputs and outputs stay.
  private mutating func reduceCrossings(
    _ structure: LiveStructure, _ bands: [[Int]], _ depth: [Int], hidden: [Int]
  ) {
    for band in bands {
      let units = (0..<columnCount).map { column in
        hidden.filter { band.contains($0) && depth[$0] == column }.flatMap { layer in
          structure.liveUnits(layer).map { PathNode.unit(layer: layer, index: $0) }
        }
      }.filter { !$0.isEmpty }
      guard !units.isEmpty else { continue }
      let columns = LayeredColumns(structure, between: units, outputsOf: Set(band))
      let ordering = LayerOrdering(
        counts: columns.nodes.map(\.count), edges: columns.edges,
        isFixed: columns.nodes.indices.map { $0 == 0 || $0 == columns.nodes.count - 1 })
      for (column, order) in ordering.order.enumerated().dropFirst().dropLast() {
        let nodes = columns.nodes[column]
        let slots = nodes.compactMap { places[$0]?.y }.sorted(by: >)
        for (slot, node) in zip(slots, order) { places[nodes[node]]?.y = slot }
      }
    }
  }

  /// Pairs of edges between neighbouring columns that cross, inputs and outputs included; edges that pass a
  /// column do not count.
  func crossings(_ structure: LiveStructure) -> Int {
    let units = (0..<columnCount).map { column in
      places.filter { $0.value.column == column }.sorted { $0.value.y > $1.value.y }.map(\.key)
    }
    let columns = LayeredColumns(structure, between: units, outputsOf: nil)
    return LayerOrdering.crossings(counts: columns.nodes.map(\.count), edges: columns.edges)
  }
}

/// The columns of a drawing, inputs and outputs included, and the edges between neighbouring ones.
private struct LayeredColumns {
  let nodes: [[PathNode]]
  let edges: [[LayerOrdering.Edge]]

  /// - Parameter layers: whose outputs are the last column; nil for all.
  init(_ structure: LiveStructure, between units: [[PathNode]], outputsOf layers: Set<Int>?) {
    let network = structure.network
    let outputs = network.outputUnits.filter { layers?.contains($0.layer) ?? true }
      .map { PathNode.unit(layer: $0.layer, index: $0.unit) }
    let columns = [(0..<network.inputCount).map(PathNode.input)] + units + [outputs]
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
