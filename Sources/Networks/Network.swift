import Foundation
import LinearAlgebra

/// A feed-forward network as a directed acyclic graph of affine layers.
///
/// A layer computes a = φ(b + Σ_c W_c x_c) over its connections c, each from the network's inputs or from an
/// earlier layer; the network's output is the concatenation of some layers. A chain, a chain with skips and several
/// towers side by side all have this form, and code that reads networks assumes nothing more. All values are
/// `Double`; numbers from a model file are exact.
public struct Network: Equatable, Sendable {
  public enum Source: Hashable, Sendable {
    case inputs
    /// The layer's number, lower than that of the layer which reads it.
    case layer(Int)
  }

  public struct Connection: Equatable, Sendable {
    public var source: Source
    /// units of the layer × width of the source
    public var weight: Matrix
    /// Whether the connection only passes values on, as around a residual block: every unit takes one value of the
    /// source, times a number that is not a weight. It is not counted, and no cut removes it.
    public var isCarry: Bool
    /// How many elements of the matrix are weights; the others are zero because nothing was ever connected.
    public var weightCount: Int

    public init(source: Source, weight: Matrix, isCarry: Bool = false, weightCount: Int? = nil) {
      self.source = source
      self.weight = weight
      self.isCarry = isCarry
      self.weightCount = isCarry ? 0 : weightCount ?? weight.elements.count
    }
  }

  public struct Layer: Equatable, Sendable {
    public var name: String
    public var activation: Activation
    public var bias: [Double]
    public var connections: [Connection]

    public var unitCount: Int { bias.count }

    public init(name: String, activation: Activation, bias: [Double], connections: [Connection]) {
      self.name = name
      self.activation = activation
      self.bias = bias
      self.connections = connections
    }
  }

  public let inputCount: Int
  public var layers: [Layer]
  /// The layers whose units, in this order, are the output.
  public let outputLayers: [Int]

  /// - Precondition: connections read earlier sources and have matching shapes.
  public init(inputCount: Int, layers: [Layer], outputLayers: [Int]) {
    self.inputCount = inputCount
    self.layers = layers
    self.outputLayers = outputLayers
    precondition(outputLayers.allSatisfy(layers.indices.contains))
    for (index, layer) in layers.enumerated() {
      for connection in layer.connections {
        if case .layer(let source) = connection.source { precondition(source < index) }
        precondition(
          connection.weight.rows == layer.unitCount
            && connection.weight.columns == width(of: connection.source))
      }
    }
  }

  public var outputCount: Int { outputLayers.reduce(0) { $0 + layers[$1].unitCount } }

  public func width(of source: Source) -> Int {
    switch source {
    case .inputs: inputCount
    case .layer(let index): layers[index].unitCount
    }
  }

  /// Layer and unit of each output.
  public var outputUnits: [(layer: Int, unit: Int)] {
    outputLayers.flatMap { layer in
      (0..<layers[layer].unitCount).map { (layer: layer, unit: $0) }
    }
  }

  /// The number of weights, biases not counted.
  public var weightCount: Int {
    layers.reduce(0) { $0 + $1.weightCount }
  }

  /// The number of weights that are not exactly zero, biases not counted.
  public var survivingWeightCount: Int {
    layers.reduce(0) { $0 + $1.survivingWeightCount }
  }

  /// The network with every weight of magnitude below `magnitude` set to zero; biases are unchanged.
  public func cut(_ magnitude: Double) -> Network {
    guard magnitude > 0 else { return self }
    var result = self
    for layer in layers.indices {
      for connection in layers[layer].connections.indices
      where !layers[layer].connections[connection].isCarry {
        result.layers[layer].connections[connection].weight =
          layers[layer].connections[connection].weight.map { abs($0) < magnitude ? 0 : $0 }
      }
    }
    return result
  }

  /// The network that computes from x what this one does from x/divisors.
  package func dividingInputs(by divisors: [Double]) -> Network {
    guard divisors.contains(where: { $0 != 1 }) else { return self }
    var result = self
    for layer in layers.indices {
      for (index, connection) in layers[layer].connections.enumerated()
      where connection.source == .inputs {
        result.layers[layer].connections[index].weight = Matrix(
          rows: connection.weight.rows, columns: connection.weight.columns
        ) { Double(Float(connection.weight[$0, $1] / divisors[$1])) }
      }
    }
    return result
  }

  /// With parameters as model files hold them, rounded to `Float`.
  package var inSinglePrecision: Network { mapParameters { Double(Float($0)) } }

  /// The network with all weights and biases replaced.
  package func mapParameters(_ transform: (Double) -> Double) -> Network {
    var result = self
    for layer in layers.indices {
      result.layers[layer].bias = layers[layer].bias.map(transform)
      for connection in layers[layer].connections.indices {
        result.layers[layer].connections[connection].weight =
          layers[layer].connections[connection].weight.map(transform)
      }
    }
    return result
  }

  /// f(x) for one (standardised) input.
  public func evaluate(_ input: [Double]) -> [Double] {
    precondition(input.count == inputCount)
    var values: [[Double]] = []
    for layer in layers {
      var sum = layer.bias
      for connection in layer.connections {
        let x =
          switch connection.source {
          case .inputs: input
          case .layer(let index): values[index]
          }
        for unit in sum.indices {
          for column in x.indices { sum[unit] += connection.weight[unit, column] * x[column] }
        }
      }
      values.append(sum.map { layer.activation.value($0) })
    }
    return outputLayers.flatMap { values[$0] }
  }

  /// An equal function whose outputs are read by nothing else: layers that others read as well, or that are output
  /// twice, are copied by identities.
  public var withOutputsApart: Network {
    var layers = layers
    var outputs: [Int] = []
    for (position, output) in outputLayers.enumerated() {
      let isRead = layers.contains { layer in
        layer.connections.contains { $0.source == .layer(output) }
      }
      guard isRead || outputLayers[..<position].contains(output) else {
        outputs.append(output)
        continue
      }
      let count = layers[output].unitCount
      outputs.append(layers.count)
      layers.append(
        Layer(
          name: layers[output].name, activation: .identity,
          bias: Array(repeating: 0, count: count),
          connections: [
            Connection(source: .layer(output), weight: .identity(count), isCarry: true)
          ]))
    }
    return Network(inputCount: inputCount, layers: layers, outputLayers: outputs)
  }

  /// Networks of the same inputs side by side, their outputs concatenated.
  public static func joined(_ towers: [Network]) -> Network {
    var layers: [Layer] = []
    var outputs: [Int] = []
    for tower in towers {
      let offset = layers.count
      for var layer in tower.layers {
        for index in layer.connections.indices {
          if case .layer(let source) = layer.connections[index].source {
            layer.connections[index].source = .layer(source + offset)
          }
        }
        layers.append(layer)
      }
      outputs += tower.outputLayers.map { $0 + offset }
    }
    return Network(
      inputCount: towers.first?.inputCount ?? 0, layers: layers, outputLayers: outputs)
  }
}

extension Network.Layer {
  public var survivingWeightCount: Int {
    connections.reduce(0) { $0 + ($1.isCarry ? 0 : $1.weight.elements.count { $0 != 0 }) }
  }

  public var weightCount: Int { connections.reduce(0) { $0 + $1.weightCount } }
}
