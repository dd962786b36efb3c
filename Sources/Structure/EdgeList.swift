import LinearAlgebra
import Networks

/// The weights of a network that are not zero, as edges of a graph. Nodes are numbered inputs first, then the
/// units of all layers in order: an edge always leads to a higher number.
package struct EdgeList: Sendable {
  package let inputCount: Int
  /// Per unit.
  package let bias: [Double]
  package let activation: [Activation]
  /// The edges into unit u are `firstEdge[u]..<firstEdge[u + 1]`.
  package let firstEdge: [Int]
  /// Per edge: the node that it leaves. Those of a unit are in the order of these nodes.
  package let source: [Int]
  package let weight: [Double]
  /// The unit that each output is.
  package let outputs: [Int]
  private let firstUnit: [Int]

  package init(_ network: Network) {
    inputCount = network.inputCount
    var firstUnit: [Int] = []
    var bias: [Double] = []
    var activation: [Activation] = []
    var firstEdge = [0]
    var source: [Int] = []
    var weight: [Double] = []
    for layer in network.layers {
      firstUnit.append(bias.count)
      let connections = layer.connections.map { connection in
        switch connection.source {
        case .inputs: (first: 0, connection: connection)
        case .layer(let index):
          (first: network.inputCount + firstUnit[index], connection: connection)
        }
      }.sorted { $0.first < $1.first }
      for unit in 0..<layer.unitCount {
        for (first, connection) in connections {
          for (column, value) in connection.weight.row(unit).enumerated() where value != 0 {
            source.append(first + column)
            weight.append(value)
          }
        }
        bias.append(layer.bias[unit])
        activation.append(layer.activation)
        firstEdge.append(source.count)
      }
    }
    outputs = network.outputUnits.map { firstUnit[$0.layer] + $0.unit }
    self.firstUnit = firstUnit
    self.bias = bias
    self.activation = activation
    self.firstEdge = firstEdge
    self.source = source
    self.weight = weight
  }

  package var unitCount: Int { bias.count }

  package func edges(into unit: Int) -> Range<Int> { firstEdge[unit]..<firstEdge[unit + 1] }

  /// The unit and all that it depends on, the last first.
  package func unitsBehind(_ unit: Int) -> [Int] {
    var isReached = [Bool](repeating: false, count: unit + 1)
    isReached[unit] = true
    var behind: [Int] = []
    for unit in stride(from: unit, through: 0, by: -1) where isReached[unit] {
      behind.append(unit)
      for edge in edges(into: unit) where source[edge] >= inputCount {
        isReached[source[edge] - inputCount] = true
      }
    }
    return behind
  }

  package func node(_ number: Int) -> PathNode {
    if number < inputCount { return .input(number) }
    let unit = number - inputCount
    let layer = (firstUnit.lastIndex { $0 <= unit }) ?? 0
    return .unit(layer: layer, index: unit - firstUnit[layer])
  }
}
