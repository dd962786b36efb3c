import Dynamics
import LinearAlgebra

/// A regression in standardised units as `Float`, row by row, shared by all trainings that read it.
///
/// Differences and standardisation are taken in `Double` before rounding: in `Float` the difference of
/// two masses near 10⁴ kg would carry noise of the size of the slowest rates.
public struct TrainingSet: Sendable {
  public let features: [Variable]
  public let targets: [Variable]
  public let timeStep: Double
  public let inputScaling: Standardisation
  public let outputScaling: Standardisation
  public let rows: Int
  /// A further divisor of each standardised input, so that rare impulses of tens of standard deviations do not
  /// dominate everything else.
  let spread: [Double]
  /// Least and largest value of each feature, in its unit.
  let ranges: [ClosedRange<Double>]
  /// rows × `stride`: features, then targets, then zeros up to whole cache lines, so that a sample is fetched at
  /// once and transposed in registers.
  let samples: [Float]
  let stride: Int

  /// - Throws: `DataProblem` for data without a step or with a variable that does not vary.
  public init(_ data: Trajectories) throws(DataProblem) {
    let regression = try Regression(data)
    let scaling = try regression.standardisation()
    self.init(
      regression, inputScaling: scaling.inputs, outputScaling: scaling.outputs,
      spread: Self.spread(regression, scaling.inputs), ranges: Self.ranges(regression))
  }

  /// The data in the standardisation of another set, for validation.
  public init(_ data: Trajectories, scaledLike set: TrainingSet) throws(DataProblem) {
    self.init(
      try Regression(data), inputScaling: set.inputScaling, outputScaling: set.outputScaling,
      spread: set.spread, ranges: set.ranges)
  }

  /// Features and targets without standardisation (rows × features, rows × targets).
  package init(features: Matrix, targets: Matrix) {
    self.features = (0..<features.columns).map { Variable("x\($0 + 1)", role: .state) }
    self.targets = (0..<targets.columns).map { Variable("y\($0 + 1)", role: .state) }
    timeStep = 1
    rows = features.rows
    inputScaling = .identity(features.columns)
    spread = Array(repeating: 1, count: features.columns)
    ranges = (0..<features.columns).map { column in
      let values = features.column(column)
      return (values.min() ?? 0)...(values.max() ?? 0)
    }
    outputScaling = .identity(targets.columns)
    let stride = Self.stride(features.columns + targets.columns)
    var samples = [Float](repeating: 0, count: features.rows * stride)
    for row in 0..<features.rows {
      for (column, value) in (features.row(row) + targets.row(row)).enumerated() {
        samples[row * stride + column] = Float(value)
      }
    }
    self.stride = stride
    self.samples = samples
  }

  /// All rows in order, `times` over, for tests that want full batches.
  package func repeated(_ times: Int) -> TrainingSet {
    TrainingSet(self, samples: Array((0..<times).map { _ in samples }.joined()), rows: rows * times)
  }

  /// The rows cut into `count` parts of nearly equal length, or into single rows.
  func stretches(_ count: Int) -> [TrainingSet] {
    let parts = min(count, rows)
    return (0..<parts).map { part in
      let (first, last) = (part * rows / parts, (part + 1) * rows / parts)
      return TrainingSet(
        self, samples: Array(samples[(first * stride)..<(last * stride)]), rows: last - first)
    }
  }

  /// About `count` of the standardised features, evenly spaced.
  func points(_ count: Int) -> Matrix {
    let step = max(1, rows / count)
    return Matrix(rows: (rows + step - 1) / step, columns: features.count) { row, column in
      Double(samples[row * step * stride + column]) * spread[column]
    }
  }

  private init(_ set: TrainingSet, samples: [Float], rows: Int) {
    features = set.features
    targets = set.targets
    timeStep = set.timeStep
    inputScaling = set.inputScaling
    outputScaling = set.outputScaling
    spread = set.spread
    ranges = set.ranges
    stride = set.stride
    self.samples = samples
    self.rows = rows
  }

  private static func ranges(_ regression: Regression) -> [ClosedRange<Double>] {
    var ranges: [ClosedRange<Double>] = []
    regression.forEachRow { row, values in
      if row == 0 { ranges = regression.features.indices.map { values[$0]...values[$0] } }
      for column in ranges.indices where !ranges[column].contains(values[column]) {
        let value = values[column]
        ranges[column] =
          min(ranges[column].lowerBound, value)...max(ranges[column].upperBound, value)
      }
    }
    return ranges
  }

  /// The largest magnitude in units of ten standard deviations, if it is larger.
  private static func spread(
    _ regression: Regression, _ scaling: Standardisation, reach: Double = 10
  ) -> [Double] {
    var largest = [Double](repeating: reach, count: scaling.count)
    regression.forEachRow { _, values in
      for column in largest.indices {
        largest[column] = max(largest[column], abs(scaling.standardise(column, values[column])))
      }
    }
    return largest.map { $0 / reach }
  }

  private init(
    _ regression: Regression, inputScaling: Standardisation, outputScaling: Standardisation,
    spread: [Double], ranges: [ClosedRange<Double>]
  ) {
    self.spread = spread
    self.ranges = ranges
    features = regression.features
    targets = regression.targets
    timeStep = regression.timeStep
    rows = regression.rows
    self.inputScaling = inputScaling
    self.outputScaling = outputScaling
    let stride = Self.stride(regression.features.count + regression.targets.count)
    let scaling = Standardisation(
      mean: inputScaling.mean + outputScaling.mean,
      deviation: zip(inputScaling.deviation, spread).map { $0 * $1 } + outputScaling.deviation)
    var samples = [Float](repeating: 0, count: regression.rows * stride)
    regression.forEachRow { row, values in
      for column in values.indices {
        samples[row * stride + column] = Float(scaling.standardise(column, values[column]))
      }
    }
    self.stride = stride
    self.samples = samples
  }

  private static func stride(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }
}
