import LinearAlgebra
import Networks

extension Network {
  /// The inputs from which a path of weights leads to an output.
  var readInputs: Set<Int> {
    var live = layers.map { layer in [Bool](repeating: false, count: layer.unitCount) }
    for layer in outputLayers { live[layer] = live[layer].map { _ in true } }
    var read: Set<Int> = []
    for layer in layers.indices.reversed() {
      for unit in 0..<layers[layer].unitCount where live[layer][unit] {
        for connection in layers[layer].connections {
          for (column, weight) in connection.weight.row(unit).enumerated() where weight != 0 {
            switch connection.source {
            case .inputs: read.insert(column)
            case .layer(let source): live[source][column] = true
            }
          }
        }
      }
    }
    return read
  }

  /// The network with a direct weight from every input to every output that may have one and lacks it, so small
  /// that it changes nothing: a fit can give it any size.
  ///
  /// - Parameter only: the inputs to connect; all by default.
  func withLinearPartOpen(only: Set<Int>? = nil) -> Network {
    var result = self
    for layer in outputLayers {
      for (index, connection) in layers[layer].connections.enumerated()
      where connection.source == .inputs {
        result.layers[layer].connections[index].weight = Matrix(
          rows: connection.weight.rows, columns: connection.weight.columns
        ) { row, column in
          let weight = connection.weight[row, column]
          return weight == 0 && only?.contains(column) ?? true ? 1e-9 : weight
        }
      }
    }
    return result
  }
}
