import Dynamics
import Foundation
import LinearAlgebra
import Networks
import Structure

/// The live part of a model beside the original.
struct LivePartCheck {
  /// Sums in another order differ by rounding, and no more.
  static let tolerance = 1e-9

  let part: Network
  let deviation: Double
  /// What the cut changed.
  private let deviationFromUncut: Double
  private let samples: Int
  private let weights: (before: Int, after: Int)
  private let neurons: (before: Int, after: Int)

  /// - Parameter data: samples × inputs in physical units; without any, normal deviates about the
  ///   training mean, twice as wide as the training data.
  init(_ model: Model, asRead: Network, over data: Matrix?) {
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

  /// Nil without a cut.
  func changeByCut(_ cut: Double) -> String? {
    guard cut > 0 else { return nil }
    return
      "--cut \(cut) is in it: its outputs differ from those of the file as it was read by up to "
      + String(format: "%.2g %% of the largest", 100 * deviationFromUncut)
  }

  var words: String {
    "\(weights.after) of \(weights.before) weights, \(neurons.after) of \(neurons.before) neurons; over "
      + "\(samples) samples its outputs differ from those of the whole by at most "
      + String(format: "%.1g", deviation) + " of the largest"
  }
}
