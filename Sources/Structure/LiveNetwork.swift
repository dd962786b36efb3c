import LinearAlgebra
import Networks

extension LiveStructure {
  /// The live part as a network of its own: units that do nothing are left out, and with them whole layers. All
  /// inputs and outputs remain; an output that no input reaches is its bias. It computes the same as `network`, to
  /// the last bit if sums are taken in the same order.
  public var smaller: Network {
    let kept = network.layers.indices.map { layer in
      network.outputLayers.contains(layer)
        ? Array(network.layers[layer].bias.indices) : liveUnits(layer)
    }
    let layers = network.layers.indices.filter { !kept[$0].isEmpty }
    let number = Dictionary(uniqueKeysWithValues: layers.enumerated().map { ($1, $0) })
    return Network(
      inputCount: network.inputCount,
      layers: layers.map { reduced(network.layers[$0], units: kept[$0], kept, number) },
      outputLayers: network.outputLayers.compactMap { number[$0] })
  }

  private func reduced(
    _ layer: Network.Layer, units: [Int], _ kept: [[Int]], _ number: [Int: Int]
  ) -> Network.Layer {
    var connections = layer.connections.compactMap { connection -> Network.Connection? in
      guard connection.weight.elements.contains(where: { $0 != 0 }) else { return nil }
      switch connection.source {
      case .inputs:
        return Network.Connection(
          source: .inputs,
          weight: connection.weight.submatrix(rows: units, columns: Array(0..<network.inputCount)),
          isCarry: connection.isCarry)
      case .layer(let source):
        guard let place = number[source] else { return nil }
        return Network.Connection(
          source: .layer(place),
          weight: connection.weight.submatrix(rows: units, columns: kept[source]),
          isCarry: connection.isCarry)
      }
    }
    if connections.isEmpty {
      // A layer reads something, be it with zero weights.
      connections = [
        Network.Connection(
          source: .inputs, weight: Matrix(rows: units.count, columns: network.inputCount))
      ]
    }
    return Network.Layer(
      name: layer.name, activation: layer.activation, bias: units.map { layer.bias[$0] },
      connections: connections)
  }

  /// The largest difference between the outputs of the original and of its live part over samples, relative to the
  /// largest output in magnitude (at least 1): the rounding caused by folding constants.
  ///
  /// - Parameters:
  ///   - part: what is left.
  ///   - original: what it was taken from.
  ///   - samples: standardised, samples × inputs.
  public static func deviation(of part: Network, from original: Network, over samples: Matrix)
    -> Double
  {
    var largest = 0.0
    var scale = 1.0
    for row in 0..<samples.rows {
      let input = Array(samples.row(row))
      for (a, b) in zip(original.evaluate(input), part.evaluate(input)) {
        let difference = abs(a - b)
        // Also where it is not a number.
        if !(difference <= largest) { largest = difference }
        scale = max(scale, abs(a))
      }
    }
    return largest / scale
  }
}
