import LinearAlgebra
import Networks

/// A network between two steps of a training, to the bit.
struct NetworkRecord: Codable {
  struct Connection: Codable {
    /// The layer that is read; nil for the network's inputs.
    var layer: Int?
    var columns: Int
    var weights: [Double]
    var isCarry: Bool
    var weightCount: Int
  }

  struct Layer: Codable {
    var name: String
    var activation: Activation
    var bias: [Double]
    var connections: [Connection]
  }

  var inputs: Int
  var layers: [Layer]
  var outputs: [Int]

  struct Damage: Error {}

  init(_ network: Network) {
    inputs = network.inputCount
    outputs = network.outputLayers
    layers = network.layers.map { layer in
      Layer(
        name: layer.name, activation: layer.activation, bias: layer.bias,
        connections: layer.connections.map { connection in
          let layer: Int? =
            if case .layer(let number) = connection.source { number } else { nil }
          return Connection(
            layer: layer, columns: connection.weight.columns, weights: connection.weight.elements,
            isCarry: connection.isCarry, weightCount: connection.weightCount)
        })
    }
  }

  /// - Throws: `Damage` for what is no network.
  func network() throws(Damage) -> Network {
    for (index, layer) in layers.enumerated() {
      for connection in layer.connections {
        if let source = connection.layer, !(0..<index).contains(source) { throw Damage() }
        let width = connection.layer.map { layers[$0].bias.count } ?? inputs
        let (count, isTooMany) = layer.bias.count.multipliedReportingOverflow(by: width)
        guard connection.columns == width, !isTooMany, connection.weights.count == count else {
          throw Damage()
        }
      }
    }
    guard inputs >= 0, outputs.allSatisfy(layers.indices.contains) else { throw Damage() }
    return Network(
      inputCount: inputs,
      layers: layers.map { layer in
        Network.Layer(
          name: layer.name, activation: layer.activation, bias: layer.bias,
          connections: layer.connections.map { connection in
            Network.Connection(
              source: connection.layer.map { .layer($0) } ?? .inputs,
              weight: Matrix(
                rows: layer.bias.count, columns: connection.columns, elements: connection.weights),
              isCarry: connection.isCarry, weightCount: connection.weightCount)
          })
      }, outputLayers: outputs)
  }
}
