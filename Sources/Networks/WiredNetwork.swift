import LinearAlgebra

/// A network whose outputs are read by nothing else, and the order in which the kernels hold its parameters: last
/// unit first, each unit's bias before its weights in the order of its layer's connections.
package struct WiredNetwork {
  package let network: Network
  /// Where each unit's bias stands among the parameters; its weights follow.
  package let biases: [Int]
  package let parameterCount: Int

  package init(_ network: Network) {
    self.network = network
    var places: [Int] = []
    var next = 0
    for layer in network.layers.reversed() {
      let width = layer.connections.reduce(1) { $0 + $1.weight.columns }
      for _ in 0..<layer.unitCount {
        places.append(next)
        next += width
      }
    }
    biases = places.reversed()
    parameterCount = next
  }

  /// The layers' units in order, each with what it reads.
  package var units: [Wiring.Unit] {
    var firstUnits: [Int] = []
    var units: [Wiring.Unit] = []
    for (number, layer) in network.layers.enumerated() {
      let sources = layer.connections.flatMap { connection -> [Wiring.Source] in
        switch connection.source {
        case .inputs: (0..<network.inputCount).map { .input($0) }
        case .layer(let index):
          (0..<network.layers[index].unitCount).map { .unit(firstUnits[index] + $0) }
        }
      }
      firstUnits.append(units.count)
      units += Array(
        repeating: Wiring.Unit(
          activation: layer.activation, isOutput: network.outputLayers.contains(number),
          layer: number, sources: sources),
        count: layer.unitCount)
    }
    return units
  }

  /// For each layer with weights, where these stand among the parameters.
  package var weightsByLayer: [[Int]] {
    var unit = 0
    return network.layers.map { layer in
      defer { unit += layer.unitCount }
      let width = layer.connections.reduce(0) { $0 + $1.weight.columns }
      return biases[unit..<(unit + layer.unitCount)].flatMap { bias in
        (bias + 1)..<(bias + 1 + width)
      }
    }.filter { !$0.isEmpty }
  }

  /// The row of a table of values (ones, inputs, units from `firstUnitRow` on) that each parameter
  /// multiplies.
  package func factorRows(firstUnitRow: Int) -> [Int] {
    units.reversed().flatMap { unit in
      [0]
        + unit.sources.map { source in
          switch source {
          case .input(let input): 1 + input
          case .unit(let other): firstUnitRow + other
          }
        }
    }
  }

  /// The unit that each output is.
  package var outputUnits: [Int] {
    var firstUnits: [Int] = []
    var count = 0
    for layer in network.layers {
      firstUnits.append(count)
      count += layer.unitCount
    }
    return network.outputUnits.map { firstUnits[$0.layer] + $0.unit }
  }

  /// Every parameter in order, and whether it is a weight (else a bias).
  package var parameters: [(value: Double, isWeight: Bool)] {
    network.layers.reversed().flatMap { layer in
      (0..<layer.unitCount).reversed().flatMap { row in
        [(layer.bias[row], false)]
          + layer.connections.flatMap { $0.weight.row(row).map { ($0, true) } }
      }
    }
  }

  /// The network with these parameters.
  package func network(with parameters: [Double]) -> Network {
    precondition(parameters.count == parameterCount)
    var result = network
    var unit = 0
    for (number, layer) in network.layers.enumerated() {
      for row in 0..<layer.unitCount {
        var place = biases[unit]
        result.layers[number].bias[row] = parameters[place]
        for connection in layer.connections.indices {
          for column in 0..<layer.connections[connection].weight.columns {
            place += 1
            result.layers[number].connections[connection].weight[row, column] = parameters[place]
          }
        }
        unit += 1
      }
    }
    return result
  }
}
