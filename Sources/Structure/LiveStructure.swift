import LinearAlgebra
import Networks

/// What a unit of a pruned network contributes.
public enum UnitState: Equatable, Sendable {
  /// Some input reaches it and it reaches some output.
  case live
  /// No input reaches it: its value is constant, and is added to the next biases.
  case constant(Double)
  /// It varies, but reaches no output.
  case unused
}

/// A network without its dead parts.
public struct LiveStructure: Sendable {
  /// The original's layers and units; weights of dead units are zero and constants are folded into biases. It
  /// computes the same function as the original up to the rounding of reordered sums.
  public let network: Network
  /// By layer and unit.
  public let states: [[UnitState]]
  /// Whether each input reaches an output.
  public let liveInputs: [Bool]

  /// Weights of magnitude below `cut` count as zero; at 0 only exact zeros do.
  public init(_ original: Network, cut: Double = 0) {
    var network = original.cut(cut)
    let constants = Self.foldConstants(&network)
    let used = Self.removeUnused(&network)
    states = network.layers.indices.map { layer in
      network.layers[layer].bias.indices.map { unit in
        if let value = constants[layer][unit] { return .constant(value) }
        return used.units[layer][unit] ? .live : .unused
      }
    }
    liveInputs = used.inputs
    self.network = network
  }

  /// Replaces units that no input reaches by their value in the biases that they feed. The outputs'
  /// own constants stay where they are.
  private static func foldConstants(_ network: inout Network) -> [[Double?]] {
    var constants: [[Double?]] = []
    for index in network.layers.indices {
      var layer = network.layers[index]
      for number in layer.connections.indices {
        guard case .layer(let source) = layer.connections[number].source else { continue }
        for (unit, constant) in constants[source].enumerated() {
          guard let constant else { continue }
          for row in 0..<layer.unitCount {
            layer.bias[row] += layer.connections[number].weight[row, unit] * constant
            layer.connections[number].weight[row, unit] = 0
          }
        }
      }
      network.layers[index] = layer
      constants.append(
        (0..<layer.unitCount).map { unit in
          let isReached = layer.connections.contains { $0.weight.row(unit).contains { $0 != 0 } }
          return isReached ? nil : layer.activation.value(layer.bias[unit])
        })
    }
    return constants
  }

  /// Clears the incoming weights of units that reach no output.
  private static func removeUnused(_ network: inout Network) -> (inputs: [Bool], units: [[Bool]]) {
    var inputs = [Bool](repeating: false, count: network.inputCount)
    var units = network.layers.map { [Bool](repeating: false, count: $0.unitCount) }
    for (layer, unit) in network.outputUnits { units[layer][unit] = true }
    for index in network.layers.indices.reversed() {
      for number in network.layers[index].connections.indices {
        let source = network.layers[index].connections[number].source
        for row in 0..<network.layers[index].unitCount {
          for column in 0..<network.width(of: source) {
            let weight = network.layers[index].connections[number].weight[row, column]
            guard weight != 0 else { continue }
            guard units[index][row] else {
              network.layers[index].connections[number].weight[row, column] = 0
              continue
            }
            switch source {
            case .inputs: inputs[column] = true
            case .layer(let layer): units[layer][column] = true
            }
          }
        }
      }
    }
    return (inputs, units)
  }

  /// Live units of a layer.
  public func liveUnits(_ layer: Int) -> [Int] {
    states[layer].indices.filter { states[layer][$0] == .live }
  }

  /// Units of hidden layers that are live.
  public var liveNeuronCount: Int {
    network.layers.indices.filter { !network.outputLayers.contains($0) }
      .reduce(0) { $0 + liveUnits($1).count }
  }

  public var neuronCount: Int {
    network.layers.indices.filter { !network.outputLayers.contains($0) }
      .reduce(0) { $0 + network.layers[$1].unitCount }
  }
}
