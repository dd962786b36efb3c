import LinearAlgebra

/// Mean and scale of each variable: standardised value = (value − mean)/deviation.
///
/// Both are kept as numbers that a `Float` holds exactly, because that is what a model file stores:
/// a model in memory and the same model read back then compute the same.
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
public struct Regression: Equatable, Sendable {
  public let features: [Variable]
  /// The rates of the states, in their order.
  public let targets: [Variable]
  public let timeStep: Double
  /// steps × features
  public let inputs: Matrix
  /// steps × targets
  public let outputs: Matrix

  /// - Throws: `DataProblem.tooShort` when no trajectory has two samples.
  public init(_ data: Trajectories) throws(DataProblem) {
    let features = data.states + data.controls
    let width = features.count
    let stateCount = data.states.count
    let steps = data.samples.reduce(0) { $0 + max(0, $1.rows - 1) }
    guard steps > 0 else { throw .tooShort }
    var inputs = Matrix(rows: steps, columns: width)
    var outputs = Matrix(rows: steps, columns: stateCount)
    var row = 0
    for matrix in data.samples where matrix.rows > 1 {
      for sample in 0..<(matrix.rows - 1) {
        for column in 0..<width { inputs[row, column] = matrix[sample, column] }
        for column in 0..<stateCount {
          outputs[row, column] =
            (matrix[sample + 1, column] - matrix[sample, column]) / data.timeStep
        }
        row += 1
      }
    }
    self.features = features
    targets = data.states.map(\.rate)
    timeStep = data.timeStep
    self.inputs = inputs
    self.outputs = outputs
  }

  /// Mean and deviation of features and targets over all rows.
  /// - Throws: `DataProblem.constant` for a feature, `.constantRate` for a target, that does not vary
  ///   (deviation at most 1e-12 of its magnitude), `.scale` where a `Float` cannot hold the result.
  public func standardisation() throws(DataProblem) -> (
    inputs: Standardisation, outputs: Standardisation
  ) {
    let (input, output) = (Self.moments(inputs), Self.moments(outputs))
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

  private static func moments(_ matrix: Matrix) -> [Moments] {
    let n = Double(matrix.rows)
    var moments = Array(repeating: Moments(mean: 0, deviation: 0), count: matrix.columns)
    for row in 0..<matrix.rows {
      for column in 0..<matrix.columns { moments[column].mean += matrix[row, column] / n }
    }
    for row in 0..<matrix.rows {
      for column in 0..<matrix.columns {
        let distance = matrix[row, column] - moments[column].mean
        moments[column].deviation += distance * distance / n
      }
    }
    for column in moments.indices {
      moments[column].deviation = moments[column].deviation.squareRoot()
    }
    return moments
  }
}
