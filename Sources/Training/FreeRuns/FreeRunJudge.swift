import Dynamics
import Forecasting
import LinearAlgebra
import Networks

/// Judges models by how far their free runs keep to the data.
///
/// Runs begin at stretches all over the data and go on for up to a thousand samples. Their error is the mean of |e|/σ,
/// but at most `ForecastErrors.divergenceLimit`, over states, stretches and several horizons, so that a short one
/// tells a model of a chaotic plant from none, and a long one a model that drifts away.
package struct FreeRunJudge: Sendable {
  private let stretches: Trajectories
  private let horizons: [Int]
  private let scale: [Double]

  private static let longest = 1000
  private static let wanted = 12

  /// - Parameters:
  ///   - data: without gaps.
  ///   - scale: the standard deviation of each state.
  /// - Returns: nil for data in which no run of ten steps can be made.
  package init?(_ data: Trajectories, scale: [Double]) {
    let rows = data.samples.map(\.rows).max() ?? 0
    let length = min(rows, Self.longest)
    guard length > 10 else { return nil }
    let long = data.samples.filter { $0.rows >= length / 2 }
    let each = max(1, (Self.wanted + long.count - 1) / long.count)
    var pieces: [Matrix] = []
    for samples in long {
      let last = max(0, samples.rows - length)
      let starts = last == 0 ? [0] : (0..<each).map { $0 * last / max(1, each - 1) }
      for start in Set(starts).sorted() {
        pieces.append(
          samples.submatrix(
            rows: Array(start..<min(samples.rows, start + length)),
            columns: Array(0..<samples.columns)))
      }
    }
    guard
      let stretches = try? Trajectories(
        variables: data.variables, timeStep: data.timeStep, samples: pieces)
    else { return nil }
    self.stretches = stretches
    self.scale = scale
    horizons = Set([10, 50, 250, length].filter { $0 <= length }).sorted()
  }

  /// The error of a model of rates; that of a run that has diverged, or is no number, is the limit.
  package func error(of model: Model) -> Double {
    let limit = ForecastErrors.divergenceLimit
    guard
      let forecast = try? RollingForecast(
        groups: [.init(name: "", members: [.model(model)])], inputs: model.inputs,
        states: stretches.states, over: stretches, horizons: horizons, scale: scale),
      let errors = forecast.run().first?.members.first
    else { return limit }
    var found: [Double] = []
    for horizon in horizons.indices {
      for run in 0..<errors.trajectories where errors.reaches(run, horizon: horizon) {
        let parts = scale.indices.map { errors.absolute(run, horizon: horizon, state: $0) }
        // A comparison that is false for what is no number.
        found.append(
          errors.diverged(run, horizon: horizon, by: .instantaneous) || !(parts.mean < limit)
            ? limit : parts.mean)
      }
    }
    return found.isEmpty ? limit : found.mean
  }
}
