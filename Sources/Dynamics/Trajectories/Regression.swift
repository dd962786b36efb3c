import LinearAlgebra

/// Mean and scale of each variable: standardised value = (value − mean)/standard deviation.
///
/// Both are numbers that a `Float` holds exactly, because model files store them as such: a model in memory and the
/// same model read back compute the same values.
public struct Standardisation: Equatable, Sendable {
  public var mean: [Double]
  public var deviation: [Double]

  public init(mean: [Double], deviation: [Double]) {
    precondition(mean.count == deviation.count)
    self.mean = mean.map { Double(Float($0)) }
    self.deviation = deviation.map { Double(Float($0)) }
  }

  /// Changes nothing.
  public static func identity(_ count: Int) -> Standardisation {
    Standardisation(
      mean: Array(repeating: 0, count: count), deviation: Array(repeating: 1, count: count))
  }

  public var count: Int { mean.count }

  public func standardise(_ index: Int, _ value: Double) -> Double {
    (value - mean[index]) / deviation[index]
  }

  public func standardise(_ values: some Collection<Double>) -> [Double] {
    values.enumerated().map { standardise($0.offset, $0.element) }
  }

  public func restore(_ values: some Collection<Double>) -> [Double] {
    values.enumerated().map { mean[$0.offset] + deviation[$0.offset] * $0.element }
  }
}

/// The regression that a model of the dynamics solves: features z = (state, control) at sample k,
/// targets (state(k+1) − state(k))/Δt, one row per step, in physical units.
///
/// Where the data have lagged features (see `Trajectories.lagged`), z consists of these.
///
/// A view of the trajectories: rows are computed on demand. Steps from or to a sample with a gap are left out.
public struct Regression: Sendable {
  public let features: [Variable]
  /// The rates of the states, in their order.
  public let targets: [Variable]
  public let timeStep: Double
  /// Steps in all trajectories, from and to samples without gaps.
  public let rows: Int
  private let samples: [Matrix]
  private let hasGaps: Bool
  private let lags: LaggedSamples

  /// - Throws: `DataProblem.tooShort` when no trajectory has two samples without gaps.
  public init(_ data: Trajectories) throws(DataProblem) {
    features = data.regressors
    lags = try LaggedSamples(features, of: data)
    targets = data.states.map(\.rate)
    timeStep = data.timeStep
    samples = data.samples
    hasGaps = data.missingValues.contains { $0 > 0 }
    var count = 0
    Self.forEachStep(samples, hasGaps, lags, states: targets.count) { _, _, _ in count += 1 }
    rows = count
    guard rows > 0 else { throw .tooShort }
  }

  /// Visits all rows in order, with trajectory and sample of each.
  public func forEachStep(_ body: (_ row: Int, _ trajectory: Int, _ sample: Int) -> Void) {
    Self.forEachStep(samples, hasGaps, lags, states: targets.count, body)
  }

  private static func forEachStep(
    _ samples: [Matrix], _ hasGaps: Bool, _ lags: LaggedSamples, states: Int,
    _ body: (_ row: Int, _ trajectory: Int, _ sample: Int) -> Void
  ) {
    var row = 0
    for (trajectory, matrix) in samples.enumerated() where matrix.rows > 1 {
      for sample in lags.history..<max(lags.history, matrix.rows - 1) {
        if hasGaps {
          let isWhole =
            lags.isWhole(matrix, at: sample)
            && (0..<states).allSatisfy {
              matrix[sample, $0].isFinite && matrix[sample + 1, $0].isFinite
            }
          guard isWhole else { continue }
        }
        body(row, trajectory, sample)
        row += 1
      }
    }
  }

  /// Visits all rows in order; each row is the features followed by the targets.
  public func forEachRow(_ body: (_ row: Int, _ values: [Double]) -> Void) {
    var values = [Double](repeating: 0, count: features.count + targets.count)
    forEachStep { row, trajectory, sample in
      let matrix = samples[trajectory]
      for column in features.indices {
        values[column] = lags.value(column, of: matrix, at: sample)
      }
      for column in targets.indices {
        values[features.count + column] =
          (matrix[sample + 1, column] - matrix[sample, column]) / timeStep
      }
      body(row, values)
    }
  }

  /// rows × features
  public var inputs: Matrix { matrix(0..<features.count) }
  /// rows × targets
  public var outputs: Matrix { matrix(features.count..<(features.count + targets.count)) }

  private func matrix(_ columns: Range<Int>) -> Matrix {
    var result = Matrix(rows: rows, columns: columns.count)
    forEachRow { row, values in
      for column in columns { result[row, column - columns.lowerBound] = values[column] }
    }
    return result
  }

  /// Mean and standard deviation of features and targets over all rows.
  /// - Throws: `DataProblem.tooShort` for a single step, `.constant` for a feature and `.constantRate` for a target
  ///   that does not vary (standard deviation at most 1e-12 of its magnitude), `.scale` where a `Float` cannot hold
  ///   the result.
  public func standardisation() throws(DataProblem) -> (
    inputs: Standardisation, outputs: Standardisation
  ) {
    guard rows > 1 else { throw .tooShort }
    let moments = moments()
    let (input, output) = (moments.prefix(features.count), Array(moments.dropFirst(features.count)))
    for (index, variable) in features.enumerated() where input[index].isConstant {
      throw .constant(variable)
    }
    for index in targets.indices where output[index].isConstant {
      throw .constantRate(features[index])
    }
    for (index, variable) in features.enumerated() {
      let isHeld = input[index].fitsFloat && (index >= targets.count || output[index].fitsFloat)
      guard isHeld else { throw .scale(variable) }
    }
    return (
      Standardisation(mean: input.map(\.mean), deviation: input.map(\.deviation)),
      Standardisation(mean: output.map(\.mean), deviation: output.map(\.deviation))
    )
  }

  private struct Moments {
    var mean: Double
    var deviation: Double

    var isConstant: Bool { deviation <= 1e-12 * abs(mean) || deviation == 0 }
    var fitsFloat: Bool { Float(mean).isFinite && Float(deviation).isNormal }
  }

  private func moments() -> [Moments] {
    let n = Double(rows)
    var moments = Array(
      repeating: Moments(mean: 0, deviation: 0), count: features.count + targets.count)
    forEachRow { _, values in
      for column in moments.indices { moments[column].mean += values[column] / n }
    }
    forEachRow { _, values in
      for column in moments.indices {
        let distance = values[column] - moments[column].mean
        moments[column].deviation += distance * distance / n
      }
    }
    for column in moments.indices {
      moments[column].deviation = moments[column].deviation.squareRoot()
    }
    return moments
  }
}
