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
    reduceCrossings(structure, hidden: hidden, outputs: outputPlaces)
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

  /// Barycentre sweeps (Sugiyama, Tagawa & Toda 1981): within its layer each unit moves to the mean
  /// height of its neighbours, weighted by |weight|, forwards and backwards in turn.
  private mutating func reduceCrossings(
    _ structure: LiveStructure, hidden: [Int], outputs: [PathNode: Double]
  ) {
    let network = structure.network
    let inputCount = Double(max(1, network.inputCount))
    var neighbours: [PathNode: [(node: PathNode, weight: Double)]] = [:]
    for (index, layer) in network.layers.enumerated() {
      for connection in layer.connections {
        for unit in 0..<layer.unitCount {
          for column in 0..<connection.weight.columns where connection.weight[unit, column] != 0 {
            let source = PathNode(connection.source, column)
            let weight = abs(connection.weight[unit, column])
            let target = PathNode.unit(layer: index, index: unit)
            neighbours[target, default: []].append((source, weight))
            neighbours[source, default: []].append((target, weight))
          }
        }
      }
    }
    func height(_ node: PathNode) -> Double {
      switch node {
      case .input(let index): self.height * (1 - (Double(index) + 0.5) / inputCount)
      case .unit: places[node]?.y ?? outputs[node] ?? 0
      }
    }
    for sweep in 0..<8 {
      for layer in sweep.isMultiple(of: 2) ? hidden : hidden.reversed() {
        let nodes = structure.liveUnits(layer).map { PathNode.unit(layer: layer, index: $0) }
        let slots = nodes.map(height).sorted(by: >)
        let wanted = nodes.map { node -> Double in
          let near = neighbours[node] ?? []
          let total = near.reduce(0) { $0 + $1.weight }
          return total > 0 ? near.reduce(0) { $0 + $1.weight * height($1.node) } / total : 0
        }
        let order = nodes.indices.sorted { (wanted[$0], -$0) > (wanted[$1], -$1) }
        for (slot, index) in zip(slots, order) { places[nodes[index]]?.y = slot }
      }
    }
  }
}
