import Certificates
import LinearAlgebra
import Networks

/// Bounds as they would be without outward rounding.
enum ToNearest: Rounding {
  static func down(_ x: Double) -> Double { x }
  static func up(_ x: Double) -> Double { x }
  static var unit: Double { 0 }
  static var underflow: Double { 0 }
}

/// A piecewise linear network computed exactly.
enum ExactNetwork {
  struct Answer {
    var outputs: [ExactNumber]
    /// outputs × inputs; nil where an argument is exactly at a kink.
    var jacobian: [[ExactNumber]]?
  }

  static func evaluate(_ network: Network, _ point: [Double]) -> Answer {
    let input = point.map { ExactNumber($0) }
    var values: [[ExactNumber]] = []
    var derivatives: [[[ExactNumber]]] = []
    var isSmooth = true
    for layer in network.layers {
      var sums = layer.bias.map { ExactNumber($0) }
      var slopes = [[ExactNumber]](
        repeating: Array(repeating: .zero, count: input.count), count: sums.count)
      for connection in layer.connections {
        for unit in sums.indices {
          for column in 0..<connection.weight.columns where connection.weight[unit, column] != 0 {
            let weight = ExactNumber(connection.weight[unit, column])
            switch connection.source {
            case .inputs:
              sums[unit] = sums[unit] + weight * input[column]
              slopes[unit][column] = slopes[unit][column] + weight
            case .layer(let source):
              sums[unit] = sums[unit] + weight * values[source][column]
              for index in input.indices {
                slopes[unit][index] =
                  slopes[unit][index] + weight * derivatives[source][column][index]
              }
            }
          }
        }
      }
      for unit in sums.indices {
        let (value, slope) = apply(layer.activation, sums[unit])
        sums[unit] = value
        if let slope { slopes[unit] = slopes[unit].map { slope * $0 } } else { isSmooth = false }
      }
      values.append(sums)
      derivatives.append(slopes)
    }
    return Answer(
      outputs: network.outputLayers.flatMap { values[$0] },
      jacobian: isSmooth ? network.outputLayers.flatMap { derivatives[$0] } : nil)
  }

  private static func apply(_ activation: Activation, _ z: ExactNumber) -> (
    value: ExactNumber, slope: ExactNumber?
  ) {
    let one = ExactNumber(1)
    func line(_ slope: Double) -> (value: ExactNumber, slope: ExactNumber?) {
      (ExactNumber(slope) * z, ExactNumber(slope))
    }
    switch activation {
    case .identity: return line(1)
    case .relu: return z.sign == 0 ? (.zero, nil) : line(z.sign > 0 ? 1 : 0)
    case .leakyRelu(let slope): return z.sign == 0 ? (.zero, nil) : line(z.sign > 0 ? 1 : slope)
    case .clip:
      if z.sign == 0 || z == one { return (z, nil) }
      return z.sign < 0 ? (.zero, .zero) : z > one ? (one, .zero) : line(1)
    default: preconditionFailure("\(activation) is not piecewise linear")
    }
  }
}
