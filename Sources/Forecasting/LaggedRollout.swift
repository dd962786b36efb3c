import Dynamics
import LinearAlgebra
import Networks

/// Moves the states of a model that reads past values: its own predictions after the start of a forecast, recorded
/// values before it, and the inputs of the data at whatever lags it reads.
struct LaggedRollout: Sendable {
  private let model: Model
  private let lags: LaggedSamples
  private let timeStep: Double
  /// For each trajectory of the block: the data with predictions in place of the values after the start, and the
  /// sample that the forecast starts from.
  private var paths: [Matrix] = []
  private var starts: [Int] = []
  private let stateColumns: [Int]

  /// - Throws: `DataProblem.missingVariables`.
  init(_ model: Model, over data: Trajectories) throws(DataProblem) {
    self.model = model
    lags = try LaggedSamples(model.inputs, of: data)
    timeStep = data.timeStep
    let states = model.outputs.map(\.name)
    stateColumns = states.compactMap { name in data.variables.firstIndex { $0.name == name } }
  }

  /// The first sample at which everything that the model reads is known; nil if there is none.
  func start(of matrix: Matrix) -> Int? {
    lags.samples(of: matrix.rows).first { lags.isWhole(matrix, at: $0) }
  }

  mutating func load(_ trajectories: [Matrix]) {
    paths = trajectories
    starts = trajectories.map { start(of: $0) ?? $0.rows }
  }

  /// Predictions of a trajectory at `count` samples from `first` on, requested in order; recorded values up to the
  /// start, NaN without a start or after the last sample.
  mutating func roll(_ lane: Int, first: Int, count: Int) -> Matrix {
    var result = Matrix(rows: count, columns: stateColumns.count, repeating: .nan)
    let start = starts[lane]
    guard start < paths[lane].rows else { return result }
    for step in 0..<count {
      let sample = first + step
      guard sample < paths[lane].rows else { break }
      if sample > start { predict(lane, sample) }
      for (state, column) in stateColumns.enumerated() {
        result[step, state] = paths[lane][sample, column]
      }
    }
    return result
  }

  private mutating func predict(_ lane: Int, _ sample: Int) {
    let input = model.inputs.indices.map { lags.value($0, of: paths[lane], at: sample - 1) }
    for (state, rate) in model.rates(input).enumerated() {
      let column = stateColumns[state]
      paths[lane][sample, column] = paths[lane][sample - 1, column] + timeStep * rate
    }
  }
}

extension Trajectories {
  /// The variables whose values an ensemble's models read, in the order of their first use: the states, then the
  /// controls.
  public func sources(of features: [Variable]) -> [Variable] {
    features.sources.compactMap { name in variables.first { $0.name == name } }
  }
}
