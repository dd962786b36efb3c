import LinearAlgebra
import Networks

/// The live part of a model beside the original.
public struct LivePartCheck: Sendable {
  /// Sums in another order differ by rounding, and no more.
  public static let tolerance = 1e-9

  public let part: Network
  /// The largest difference of the outputs from the whole's, as a share of the largest output.
  public let deviation: Double
  /// The same from the network before it was cut.
  public let deviationFromUncut: Double
  public let samples: Int
  public let weights: (before: Int, after: Int)
  public let neurons: (before: Int, after: Int)

  /// - Parameters:
  ///   - model: whose live part is taken.
  ///   - asRead: its network before small weights were cut.
  ///   - data: samples × inputs in physical units; without any, normal deviates about the training mean, twice as
  ///     wide as the training data.
  public init(_ model: Model, asRead: Network, over data: Matrix?) {
    let structure = LiveStructure(model.network)
    part = structure.smaller
    let count = max(10, min(1000, 100_000_000 / max(1, model.network.weightCount)))
    let points: Matrix
    if let data {
      let step = max(1, data.rows / count)
      points = Matrix(
        stride(from: 0, to: data.rows, by: step).map {
          model.inputScaling.standardise(data.row($0))
        })
    } else {
      var stream = RandomStream(seed: 1)
      points = Matrix(rows: count, columns: model.inputs.count) { _, _ in 2 * stream.normal() }
    }
    samples = points.rows
    deviation = LiveStructure.deviation(of: part, from: model.network, over: points)
    deviationFromUncut =
      asRead == model.network
      ? deviation : LiveStructure.deviation(of: part, from: asRead, over: points)
    weights = (model.network.weightCount, part.survivingWeightCount)
    neurons = (structure.neuronCount, structure.liveNeuronCount)
  }
}
