import Dynamics
import LinearAlgebra
import Networks

/// The distribution over data of the entries of a model's Jacobian, in standardised units (outputs × inputs).
public struct JacobianStatistics: Equatable, Sendable {
  /// The shares below which the `quantiles` lie.
  public static let shares = [0.05, 0.5, 0.95]
  /// Quantiles are computed from at most this many samples, evenly spaced, and need memory only for these.
  public static let mostForQuantiles = 20_000

  public var samples: Int
  /// Shares of all samples at which the entry is positive, and negative; the rest is zero.
  public var positiveShare: Matrix
  public var negativeShare: Matrix
  /// One matrix per share, linear between order statistics.
  public var quantiles: [Matrix]
  public var samplesOfQuantiles: Int

  /// - Parameters:
  ///   - model: whose Jacobians are taken.
  ///   - inputs: samples × inputs in physical units, at least one.
  public init(_ model: Model, over inputs: Matrix) {
    samples = inputs.rows
    var batch = JacobianBatch(LiveStructure(model.network).network)
    let (outputs, width) = (batch.outputCount, batch.inputCount)
    var positive = [Double](repeating: 0, count: outputs * width)
    var negative = positive
    let step = (inputs.rows + Self.mostForQuantiles - 1) / Self.mostForQuantiles
    var kept = [[Double]](repeating: [], count: outputs * width)
    batch.forEachBlock(inputs, model.inputScaling) { jacobians, first, count in
      for entry in positive.indices {
        for lane in 0..<count {
          let value = jacobians[entry * JacobianBatch.lanes + lane]
          if value > 0 { positive[entry] += 1 }
          if value < 0 { negative[entry] += 1 }
          if (first + lane).isMultiple(of: step) { kept[entry].append(value) }
        }
      }
    }
    let count = Double(inputs.rows)
    func matrix(_ values: [Double]) -> Matrix {
      Matrix(rows: outputs, columns: width, elements: values)
    }
    positiveShare = matrix(positive.map { $0 / count })
    negativeShare = matrix(negative.map { $0 / count })
    let ordered = kept.map { $0.sorted() }
    quantiles = Self.shares.map { share in matrix(ordered.map { $0.quantile(share) }) }
    samplesOfQuantiles = ordered.first?.count ?? 0
  }

  /// The mean over the members of an ensemble, entry by entry.
  public static func mean(_ members: [JacobianStatistics], _ part: (JacobianStatistics) -> Matrix)
    -> Matrix
  {
    let first = part(members[0])
    let sum = members.dropFirst().reduce(first) { $0 + part($1) }
    return sum.map { $0 / Double(members.count) }
  }
}
