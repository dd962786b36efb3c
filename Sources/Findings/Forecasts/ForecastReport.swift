import Dynamics
import Forecasting
import LinearAlgebra

/// What forecasts amount to, as tables and as a value for programs.
public struct ForecastReport {
  public struct Result: Encodable {
    var trajectories: Int
    var states: [Variable]
    /// σ_x that errors are divided by.
    var deviation: [Double]
    var divergenceLimit = RollingForecast.divergenceLimit
    var ensembles: [Group]
    var references: [Group]
  }

  struct Group: Encodable {
    var name: String
    var members: Int
    var horizons: [Horizon]
    var byMember: [Member]
  }

  struct Errors: Encodable {
    var pairs: Int
    var absolute: Double?
    var squared: Double?
    var absoluteByState: [Double]
    var squaredByState: [Double]

    init(_ means: ForecastMeans) {
      pairs = means.pairs
      absolute = means.meanAbsolute
      squared = means.meanSquared
      absoluteByState = means.pairs == 0 ? [] : means.absolute
      squaredByState = means.pairs == 0 ? [] : means.squared
    }
  }

  struct Horizon: Encodable {
    var horizon: Int
    var pairs: Int
    var diverged: Double
    var divergedByTimeMean: Double
    /// Over the pairs that did not diverge, and over those in which no compared ensemble did.
    var undiverged: Errors
    var common: Errors
    /// Of the mean of the members' forecasts.
    var ofMean: Errors?
    var meanDiverged: Double?
    /// Share of samples that the band covers.
    var coverageByState: [Double]?
    /// In the states' units, over all forecasts, diverged ones included.
    var inUnits: [InUnits]?
    /// The same of the mean of the members' forecasts.
    var ofMeanInUnits: [InUnits]?
  }

  struct InUnits: Encodable {
    var rmse: Double?
    var nrmse: Double?
    var fitPercent: Double?

    init(_ errors: UnitErrors) {
      func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
      rmse = finite(errors.rmse)
      nrmse = finite(errors.nrmse)
      fitPercent = finite(errors.fit)
    }
  }

  struct Member: Encodable {
    var member: Int
    var horizons: [Horizon]
    /// Per trajectory: the first sample at which it diverged, or null.
    var divergedAt: [Int?]
  }

  public let result: Result
  let byState: Bool
  let byMember: Bool
  let compared: Int

  /// - Parameters:
  ///   - forecast: that was run.
  ///   - outcome: of its groups.
  ///   - shown: horizons that are told.
  ///   - compared: how many of the first groups are ensembles; the rest are references.
  ///   - data: that was forecast.
  ///   - known: samples that a forecast starts from.
  ///   - byState: whether the errors of each state are told.
  ///   - byMember: whether those of each member are.
  public init(
    _ forecast: RollingForecast, _ outcome: [RollingForecast.GroupOutcome], shown: [Int],
    compared: Int, data: Trajectories, known: Int, byState: Bool, byMember: Bool
  ) {
    self.byState = byState
    self.byMember = byMember
    self.compared = compared
    let ensembles = Array(outcome.prefix(compared))
    func summaries(_ group: RollingForecast.GroupOutcome) -> [Horizon] {
      forecast.horizons.indices.filter { shown.contains(forecast.horizons[$0]) }.compactMap {
        index in
        guard let summary = ForecastSummary(group, horizon: index, compared: ensembles) else {
          return nil
        }
        func inUnits(_ models: [ForecastErrors]) -> [InUnits] {
          UnitErrors.byState(
            models, horizon: index, known: known, states: forecast.states, scale: forecast.scale,
            data: data
          ).map { InUnits($0) }
        }
        var horizon = Horizon(summary)
        horizon.inUnits = inUnits(group.members)
        horizon.ofMeanInUnits = group.mean.map { inUnits([$0]) }
        return horizon
      }
    }
    let groups = outcome.map { group in
      Group(
        name: group.name, members: group.members.count, horizons: summaries(group),
        byMember: group.members.enumerated().map { index, errors in
          let alone = RollingForecast.GroupOutcome(name: group.name, members: [errors])
          return Member(
            member: index, horizons: summaries(alone), divergedAt: errors.divergedAt)
        })
    }
    result = Result(
      trajectories: data.samples.count, states: forecast.states, deviation: forecast.scale,
      ensembles: Array(groups.prefix(compared)), references: Array(groups.dropFirst(compared)))
  }
}

extension ForecastReport.Horizon {
  init(_ summary: ForecastSummary) {
    horizon = summary.horizon
    pairs = summary.pairs
    diverged = summary.diverged
    divergedByTimeMean = summary.divergedByTimeMean
    undiverged = ForecastReport.Errors(summary.undiverged)
    common = ForecastReport.Errors(summary.common)
    ofMean = summary.mean.map { ForecastReport.Errors($0) }
    meanDiverged = summary.meanDiverged
    coverageByState = summary.coverage
  }
}
