import LinearAlgebra

/// Reads features that may be lagged variables from trajectories, without copying data.
public struct LaggedSamples: Sendable {
  /// For each feature: the column of its variable, and samples back.
  public let places: [(column: Int, delay: Int)]
  /// The number of samples needed before and after the one that a row belongs to.
  public let history: Int
  public let lead: Int

  /// - Throws: `DataProblem.missingVariables`.
  public init(_ features: [Variable], of data: Trajectories) throws(DataProblem) {
    let columns = features.map { wanted in
      data.variables.firstIndex { $0.name == wanted.source }
    }
    let missing = zip(features, columns).filter { $1 == nil }.map(\.0).sources
    guard missing.isEmpty else {
      let wanted = Set(features.map(\.source))
      throw .missingVariables(
        missing, extra: data.variables.map(\.name).filter { !wanted.contains($0) })
    }
    places = zip(columns.compactMap { $0 }, features).map { ($0, $1.delay) }
    history = features.history
    lead = features.map { -$0.delay }.max().map { Swift.max(0, $0) } ?? 0
  }

  /// The samples of a trajectory that have all their features within it.
  public func samples(of rows: Int) -> Range<Int> {
    history..<Swift.max(history, rows - lead)
  }

  public func value(_ feature: Int, of matrix: Matrix, at sample: Int) -> Double {
    matrix[sample - places[feature].delay, places[feature].column]
  }

  /// Whether no feature of a sample is a gap.
  public func isWhole(_ matrix: Matrix, at sample: Int) -> Bool {
    places.allSatisfy { matrix[sample - $0.delay, $0.column].isFinite }
  }
}

extension Trajectories {
  /// The features that a model of these data reads: the lagged features if there are any, otherwise states and
  /// controls.
  public var regressors: [Variable] { laggedFeatures ?? states + controls }

  /// These data for a model that reads the given lags of their variables.
  public func lagged(_ orders: LagOrders) -> Trajectories {
    var result = self
    result.laggedFeatures = orders.features(states: states, controls: controls)
    return result
  }

  /// Stretches of `length` samples that begin every `stride` samples, each a trajectory of its own, from which
  /// forecasts of that length start.
  public func windows(length: Int, every stride: Int) -> Trajectories {
    precondition(length > 0 && stride > 0)
    return replacingSamples(
      samples.flatMap { matrix in
        Swift.stride(from: 0, through: matrix.rows - length, by: stride).map { first in
          matrix.submatrix(
            rows: Array(first..<(first + length)), columns: Array(0..<matrix.columns))
        }
      })
  }

  /// The part of every trajectory before a share of its samples, and the part behind it.
  public func splitInTime(_ share: Double) -> (before: Trajectories, behind: Trajectories) {
    func part(_ range: (Int) -> Range<Int>) -> Trajectories {
      replacingSamples(
        samples.map {
          $0.submatrix(rows: Array(range($0.rows)), columns: Array(0..<$0.columns))
        })
    }
    func cut(_ rows: Int) -> Int { min(rows, max(0, Int((Double(rows) * share).rounded()))) }
    return (part { 0..<cut($0) }, part { cut($0)..<$0 })
  }
}
