import Dynamics
import LinearAlgebra
import Networks

/// What each output does as one input goes through its range in the data, all else staying as it is in the samples
/// that have that value: accumulated local effects (Apley & Zhu 2020), with exact slopes instead of differences.
///
/// Between two bounds of an input's range the curve rises by the mean of ∂output/∂input over the samples that lie
/// there, times the distance. Unlike a partial dependence it never asks a model about combinations of inputs that do
/// not occur. Everything is in physical units.
public struct PartialEffects: Equatable, Sendable {
  /// Per input: from its least to its largest value in the data, in stretches that hold equally many samples as far as
  /// its values allow; one value alone for a constant.
  public let bounds: [[Double]]
  /// By output and input: the effect at each bound; its mean over the samples is zero.
  public let curves: [[[Double]]]

  public static let stretches = 24

  /// - Parameters:
  ///   - model: whose outputs are followed.
  ///   - data: samples × inputs in physical units, at least one.
  public init(_ model: Model, over data: Matrix) {
    let places = (0..<data.columns).map { Places(data.column($0)) }
    var sums = model.outputs.map { _ in
      places.map { [Double](repeating: 0, count: $0.counts.count) }
    }
    var batch = JacobianBatch(LiveStructure(model.network).network)
    let inputs = data.columns
    batch.forEachBlock(data, model.inputScaling) { jacobians, first, count in
      for output in sums.indices {
        for (input, place) in places.enumerated() {
          let begin = (output * inputs + input) * JacobianBatch.lanes
          for lane in 0..<count {
            sums[output][input][place.stretch[first + lane]] += jacobians[begin + lane]
          }
        }
      }
    }
    bounds = places.map(\.bounds)
    curves = sums.enumerated().map { output, byInput in
      byInput.enumerated().map { input, sums in
        let unit = model.outputScaling.deviation[output] / model.inputScaling.deviation[input]
        return places[input].accumulated(sums.map { $0 * unit })
      }
    }
  }

  /// In which stretch of its range each value lies.
  private struct Places {
    let bounds: [Double]
    /// Per sample.
    let stretch: [Int]
    let counts: [Int]

    init(_ values: [Double]) {
      let sorted = values.sorted()
      var bounds: [Double] = []
      for step in 0...PartialEffects.stretches {
        // Values that occur: a stretch without a sample would have no slope.
        let value = sorted[(values.count - 1) * step / PartialEffects.stretches]
        if bounds.last.map({ value > $0 }) ?? true { bounds.append(value) }
      }
      let last = max(0, bounds.count - 2)
      stretch = values.map { value in
        // The first bound that is not below the value ends its stretch.
        var (low, high) = (0, bounds.count - 1)
        while low < high {
          let middle = (low + high) / 2
          if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        return min(last, max(0, low - 1))
      }
      var counts = [Int](repeating: 0, count: last + 1)
      for place in stretch { counts[place] += 1 }
      self.bounds = bounds
      self.counts = counts
    }

    /// The curve whose slope in each stretch is the mean of these sums there, its mean over the samples zero.
    func accumulated(_ sums: [Double]) -> [Double] {
      var curve = [0.0]
      var mean = 0.0
      for index in 0..<(bounds.count - 1) {
        let slope = counts[index] > 0 ? sums[index] / Double(counts[index]) : 0
        let rise = slope * (bounds[index + 1] - bounds[index])
        let before = curve[index]
        curve.append(before + rise)
        mean += Double(counts[index]) * (before + rise / 2)
      }
      mean /= Double(max(1, counts.reduce(0, +)))
      return curve.map { $0 - mean }
    }
  }
}
