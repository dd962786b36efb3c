import LinearAlgebra
import Networks

/// How often the units of a network respond, over data.
public struct UnitActivity: Equatable, Sendable {
  /// A unit counts as active where its slope is above this: a ReLU that is not cut off, a SiLU that is not switched
  /// off, a tanh that is not saturated.
  public static let slopeAbove = 0.1

  /// Per layer and unit: the share of the samples at which it is active.
  public let shares: [[Double]]

  /// - Parameters:
  ///   - model: whose units are examined.
  ///   - inputs: samples × inputs in physical units, at least one.
  public init(_ model: Model, over inputs: Matrix) {
    let network = LiveStructure(model.network).network
    var batch = JacobianBatch(network)
    let all = batch.activeShares(over: inputs, model.inputScaling, slopeAbove: Self.slopeAbove)
    var first = 0
    shares = network.layers.map { layer in
      defer { first += layer.unitCount }
      return Array(all[first..<(first + layer.unitCount)])
    }
  }
}
