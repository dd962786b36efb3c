import CommandSupport
import Dynamics
import Forecasting
import LinearAlgebra
import Reporting

/// The errors of forecasts, as tables and as a value for programs.
struct ForecastReport {
  struct Result: Encodable {
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
    /// In the states' units, for the mean of the members' forecasts.
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

  let result: Result
  private let byState: Bool
  private let byMember: Bool
  private let outcome: [RollingForecast.GroupOutcome]
  private let compared: Int

  init(
    _ forecast: RollingForecast, _ outcome: [RollingForecast.GroupOutcome], shown: [Int],
    compared: Int, data: Trajectories, known: Int, byState: Bool, byMember: Bool
  ) {
    self.byState = byState
    self.byMember = byMember
    self.outcome = outcome
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

  private var groups: [Group] { result.ensembles + result.references }

  var tables: [Table] {
    var tables = [errorTable]
    if compared > 1 { tables.append(commonTable) }
    tables.append(otherTable)
    if result.states.count <= 3 || byState { tables += result.states.indices.map { unitTable($0) } }
    if groups.contains(where: { $0.members > 1 }) { tables.append(coverageTable) }
    if byMember {
      tables += groups.prefix(compared).filter { $0.members > 1 }.map { memberTable($0) }
    }
    if byState { tables += groups.prefix(compared).map { stateTable($0) } }
    return tables
  }

  private var horizons: [Int] {
    groups.map { $0.horizons.map(\.horizon) }.max { $0.count < $1.count } ?? []
  }

  /// A row of two figures per horizon.
  private func cells(
    _ horizons: [Horizon], _ first: (Horizon) -> Double?, _ second: (Horizon) -> Double?
  ) -> [Cell] {
    let present = self.horizons.map { wanted in horizons.first { $0.horizon == wanted } }
    func cell(_ value: Double?) -> Cell { value.map(Cell.number) ?? .missing }
    return present.map { cell($0.flatMap(first)) } + present.map { cell($0.flatMap(second)) }
  }

  private func columns(_ first: String, _ second: String) -> [String] {
    horizons.map { "\(first) \($0)" } + horizons.map { "\(second) \($0)" }
  }

  private var errorTable: Table {
    var table = Table(
      title:
        "Rolling forecasts of \(counted(result.trajectories, "trajectory")) to a horizon of so "
        + "many samples",
      corner: "model", columns: columns("|e|", "% div."))
    for group in groups {
      let name = group.members > 1 ? "\(group.name), members" : group.name
      table.rows.append(
        (name, cells(group.horizons, { $0.undiverged.absolute }, { 100 * $0.diverged })))
      if group.members > 1 {
        table.rows.append(
          (
            "\(group.name), their mean",
            cells(
              group.horizons, { $0.ofMean?.absolute }, { $0.meanDiverged.map { 100 * $0 } })
          ))
      }
    }
    table.notes = [
      "|e|: mean of |forecast − truth|/σ over states, samples and pairs that did not diverge; % div.: "
        + "pairs of member and trajectory that did (mean error of the states above 3 σ)."
    ]
    return table
  }

  private var commonTable: Table {
    var table = Table(
      title: "The same over the pairs in which no compared ensemble diverged",
      corner: "model", columns: columns("|e|", "pairs"))
    for group in groups.prefix(compared) {
      table.rows.append(
        (group.name, cells(group.horizons, { $0.common.absolute }, { Double($0.common.pairs) })))
    }
    return table
  }

  private var otherTable: Table {
    var table = Table(
      title:
        "By the other published measures: squared error; pairs in which the mean over the samples "
        + "of a state's error exceeds 3 σ",
      corner: "model", columns: columns("e²", "% div."))
    for group in groups {
      table.rows.append(
        (
          group.name,
          cells(group.horizons, { $0.undiverged.squared }, { 100 * $0.divergedByTimeMean })
        ))
    }
    return table
  }

  /// RMSE and fit of one state, diverged forecasts included.
  private func unitTable(_ state: Int) -> Table {
    let variable = result.states[state]
    var table = Table(
      title: "\(variable.name): root mean square error"
        + (variable.unit.isEmpty ? "" : " in \(variable.unit)") + ", and fit",
      corner: "model", columns: columns("RMSE", "fit %"))
    for group in groups {
      let name = group.members > 1 ? "\(group.name), members" : group.name
      table.rows.append(
        (
          name,
          cells(group.horizons, { $0.inUnits?[state].rmse }, { $0.inUnits?[state].fitPercent })
        )
      )
      if group.members > 1 {
        table.rows.append(
          (
            "\(group.name), their mean",
            cells(
              group.horizons, { $0.ofMeanInUnits?[state].rmse },
              { $0.ofMeanInUnits?[state].fitPercent })
          ))
      }
    }
    table.notes = [
      "Over all forecasts, diverged ones included, without the samples that they start from. Fit: 100 (1 − RMSE "
        + "over the deviation of what was recorded)."
    ]
    return table
  }

  private var coverageTable: Table {
    let percent = Int(100 * RollingForecast.confidence)
    var table = Table(
      title: "How often the band of an ensemble covers the truth, in % of the samples",
      corner: "state", columns: [])
    let wide = groups.filter { $0.members > 1 }
    for group in wide {
      table.columns += horizons.map { wide.count > 1 ? "\(group.name) \($0)" : String($0) }
    }
    for (index, state) in result.states.enumerated() {
      table.rows.append(
        (
          state.name,
          wide.flatMap { group in
            group.horizons.map { horizon -> Cell in
              let share = horizon.coverageByState?[index] ?? .nan
              return share.isNaN ? .missing : .number(100 * share)
            }
          }
        ))
    }
    table.notes = [
      "Band: mean ± t s √(1 + 1/n) of the n members that have not diverged by then, \(percent) % if the "
        + "truth were one more member. Less says that members err together."
    ]
    return table
  }

  private func memberTable(_ group: Group) -> Table {
    var table = Table(
      title: "\(group.name), by member", corner: "member", columns: columns("|e|", "% div."))
    for member in group.byMember {
      table.rows.append(
        (
          String(member.member),
          cells(member.horizons, { $0.undiverged.absolute }, { 100 * $0.diverged })
        ))
    }
    return table
  }

  private func stateTable(_ group: Group) -> Table {
    var table = Table(
      title: "\(group.name), by state", corner: "state", columns: columns("|e|", "e²"))
    for (index, state) in result.states.enumerated() {
      func value(_ list: [Double]) -> Double? { list.isEmpty ? nil : list[index] }
      table.rows.append(
        (
          state.name,
          cells(
            group.horizons, { value($0.undiverged.absoluteByState) },
            { value($0.undiverged.squaredByState) })
        ))
    }
    return table
  }

  /// One row per model, member and horizon.
  var longTable: Table {
    var table = Table(
      title: "", corner: "model",
      columns: [
        "member", "horizon", "pairs", "absolute", "squared", "diverged", "diverged_by_time_mean",
        "common_pairs", "common_absolute", "common_squared",
      ] + result.states.flatMap { ["rmse \($0.name)", "fit_percent \($0.name)"] })
    func row(_ name: String, _ member: Cell, _ horizon: Horizon) {
      func cell(_ value: Double?) -> Cell { value.map(Cell.number) ?? .missing }
      table.rows.append(
        (
          name,
          [
            member, .integer(horizon.horizon), .integer(horizon.pairs),
            cell(horizon.undiverged.absolute), cell(horizon.undiverged.squared),
            .number(horizon.diverged), .number(horizon.divergedByTimeMean),
            .integer(horizon.common.pairs), cell(horizon.common.absolute),
            cell(horizon.common.squared),
          ]
            + (horizon.inUnits ?? []).flatMap { [cell($0.rmse), cell($0.fitPercent)] }
        ))
    }
    for group in groups {
      for horizon in group.horizons { row(group.name, .text("all"), horizon) }
      for member in group.byMember where group.members > 1 {
        for horizon in member.horizons { row(group.name, .integer(member.member), horizon) }
      }
    }
    return table
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
