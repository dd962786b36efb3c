import Dynamics
import LinearAlgebra

/// Errors of forecasts in the units of a state, over the trajectories as long as a horizon.
///
/// The samples from which a forecast starts do not count.
public struct UnitErrors: Equatable, Sendable {
  /// √ mean (x̂ − x)²
  public var rmse: Double
  /// RMSE over the standard deviation of what was recorded over the same samples.
  public var nrmse: Double
  /// 100 (1 − ‖x̂ − x‖/‖x − x̄‖) %: 100 for a perfect forecast, 0 for the mean.
  public var fit: Double { 100 * (1 - nrmse) }

  /// One for each state: means over the forecasts of a group's members, one after the other.
  ///
  /// - Parameters:
  ///   - models: errors normalised by `scale`.
  ///   - horizon: the number of the horizon among those of the errors.
  ///   - known: samples at the start of each trajectory that do not count.
  ///   - states: that are forecast.
  ///   - scale: of each state, in its unit.
  ///   - data: what was recorded.
  public static func byState(
    _ models: [ForecastErrors], horizon: Int, known: Int, states: [Variable], scale: [Double],
    data: Trajectories
  ) -> [UnitErrors] {
    guard let first = models.first else { return [] }
    let length = first.horizons[horizon]
    let counted = Double(max(1, length - known))
    return states.indices.map { state in
      let column = data.variables.firstIndex { $0.name == states[state].name } ?? 0
      var (squares, variance, pairs) = (0.0, 0.0, 0)
      for trajectory in 0..<first.trajectories
      where first.reaches(trajectory, horizon: horizon) && known < length {
        let values = (known..<length).map { data.samples[trajectory][$0, column] }
          .filter(\.isFinite)
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        let spread = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        for errors in models {
          squares +=
            errors.squared(trajectory, horizon: horizon, state: state) * Double(length) / counted
          variance += spread / Double(max(1, values.count))
          pairs += 1
        }
      }
      guard pairs > 0 else { return UnitErrors(rmse: .nan, nrmse: .nan) }
      let rmse = (squares / Double(pairs)).squareRoot() * scale[state]
      let deviation = (variance / Double(pairs)).squareRoot()
      return UnitErrors(rmse: rmse, nrmse: rmse / deviation)
    }
  }
}

extension Trajectories {
  /// The share of these samples that also occur in other data, equal in all common variables: forecasts of data
  /// that were trained on say little.
  public func overlap(with other: Trajectories) -> Double {
    let names = variables.map(\.name).filter { name in
      other.variables.contains { $0.name == name }
    }
    guard !names.isEmpty, sampleCount > 0 else { return 0 }
    func rows(_ data: Trajectories) -> [[Double]] {
      let columns = names.compactMap { name in data.variables.firstIndex { $0.name == name } }
      return data.samples.flatMap { matrix in
        (0..<matrix.rows).map { row in columns.map { matrix[row, $0] } }
      }
    }
    let seen = Set(rows(other))
    let mine = rows(self)
    return Double(mine.count { seen.contains($0) }) / Double(mine.count)
  }
}
