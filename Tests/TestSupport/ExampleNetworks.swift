import LinearAlgebra
import Networks

/// Small networks for tests.
public enum ExampleNetworks {
  /// Layers in a row, with a skip where given.
  public static func chain(
    _ weights: [Matrix], skip: Matrix? = nil, inputs: Int, biases: [[Double]]? = nil,
    activation: Activation = .relu
  ) -> Network {
    Network(
      inputCount: inputs,
      layers: weights.enumerated().map { index, weight in
        let isLast = index == weights.count - 1
        var connections = [
          Network.Connection(source: index == 0 ? .inputs : .layer(index - 1), weight: weight)
        ]
        if isLast, let skip { connections.append(.init(source: .inputs, weight: skip)) }
        return Network.Layer(
          name: "h\(index + 1)", activation: isLast ? .identity : activation,
          bias: biases?[index] ?? [Double](repeating: 0, count: weight.rows),
          connections: connections)
      },
      outputLayers: [weights.count - 1])
  }

  /// Normal weights, a share of them zero.
  public static func random(
    _ sizes: [Int], density: Double, skip: Bool, activation: Activation = .relu,
    _ stream: inout RandomStream
  ) -> Network {
    func weight(_ rows: Int, _ columns: Int) -> Matrix {
      Matrix(rows: rows, columns: columns) { _, _ in
        stream.uniform() < density ? stream.normal() : 0
      }
    }
    let weights = zip(sizes, sizes.dropFirst()).map { weight($1, $0) }
    let output = sizes[sizes.count - 1]
    return chain(
      weights, skip: skip ? weight(output, sizes[0]) : nil, inputs: sizes[0],
      biases: sizes.dropFirst().map { size in (0..<size).map { _ in stream.normal() } },
      activation: activation)
  }
}
