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
  /// rows × features, then rows × targets
  let inputs: [Float]
  let outputs: [Float]

  /// - Throws: `DataProblem` for data without a step or with a variable that does not vary.
  public init(_ data: Trajectories) throws(DataProblem) {
    let regression = try Regression(data)
    let scaling = try regression.standardisation()
    self.init(regression, inputScaling: scaling.inputs, outputScaling: scaling.outputs)
  }

  /// The data in the standardisation of another set, as for validation.
  public init(_ data: Trajectories, scaledLike set: TrainingSet) throws(DataProblem) {
    self.init(
      try Regression(data), inputScaling: set.inputScaling, outputScaling: set.outputScaling)
  }

  /// Features and targets as they are (rows × features, rows × targets), without standardisation.
  package init(features: Matrix, targets: Matrix) {
    self.features = (0..<features.columns).map { Variable("x\($0 + 1)", role: .state) }
    self.targets = (0..<targets.columns).map { Variable("y\($0 + 1)", role: .state) }
    timeStep = 1
    rows = features.rows
    inputScaling = .identity(features.columns)
    outputScaling = .identity(targets.columns)
    inputs = features.elements.map { Float($0) }
    outputs = targets.elements.map { Float($0) }
  }

  private init(
    _ regression: Regression, inputScaling: Standardisation, outputScaling: Standardisation
  ) {
    features = regression.features
    targets = regression.targets
    timeStep = regression.timeStep
    rows = regression.inputs.rows
    self.inputScaling = inputScaling
    self.outputScaling = outputScaling
    inputs = Self.standardised(regression.inputs, inputScaling)
    outputs = Self.standardised(regression.outputs, outputScaling)
  }

  private static func standardised(_ matrix: Matrix, _ scaling: Standardisation) -> [Float] {
    var result = [Float](repeating: 0, count: matrix.elements.count)
    for row in 0..<matrix.rows {
      for column in 0..<matrix.columns {
        let index = row * matrix.columns + column
        result[index] = Float(scaling.standardise(column, matrix.elements[index]))
      }
    }
    return result
  }
}
