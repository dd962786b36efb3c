import Dynamics
import Evidence
import Forecasting
import Foundation
import LinearAlgebra
import Structure

/// The results of a study so far: one entry per member and cut, one per recipe, size, noise and cut.
public struct StudyResults: Sendable {
  struct Member: Sendable {
    var number: Int
    var record: MemberRecord?
    var judgement: Judgement?
  }

  struct Group: Sendable {
    var cell: StudyPlan.Cell
    var cut: Double
    var members: [Member]
    var ensemble: EnsembleJudgement?

    /// What the members together say of every pair, at the cut at which they decided.
    var evidence: EnsembleEvidence? {
      cut == 0 ? members.lazy.compactMap { $0.record?.evidence }.first : nil
    }
  }

  public let plan: StudyPlan
  let truth: PlantTruth?
  let groups: [Group]

  /// A mean over members with its 95 % interval by Student's t; no interval for one member.
  public struct Figure: Equatable, Sendable {
    public var mean: Double
    public var low: Double?
    public var high: Double?

    package init?(_ values: [Double]) {
      let values = values.filter(\.isFinite)
      guard !values.isEmpty else { return nil }
      mean = values.mean
      guard values.count > 1 else { return }
      let n = Double(values.count)
      let error = values.standardDeviation / (n - 1).squareRoot()
      let reach = studentQuantile(confidence: 0.95, degrees: values.count - 1) * error
      low = mean - reach
      high = mean + reach
    }
  }

  public struct Structure: Equatable, Sendable {
    /// Pairs selected, mean of the members.
    public var pairs: Double
    /// Φ and its interval over members.
    public var stability: Double?
    public var interval: ClosedRange<Double>?
    public var isUnanimous: Bool
    /// The consensus against the plant.
    public var score: StructureScore?
  }

  public struct Horizon: Equatable, Sendable {
    public var horizon: Int
    public var absolute: Figure?
    public var squared: Figure?
    /// Shares of the pairs of member and trajectory.
    public var diverged: Double
    public var divergedByTimeMean: Double
    /// Over the pairs in which no recipe's member of that number diverged (same size, noise and cut
    /// number).
    public var commonPairs: Int
    public var commonAbsolute: Double?
    public var ofMean: Double?
    public var meanDiverged: Double?
    public var coverage: Double?
  }

  /// A member at a cut, as a row.
  public struct MemberRow: Sendable {
    public var recipe: String
    public var size: Int
    public var noise: Double
    public var cut: Double
    public var member: Int
    /// "trained", "diverged" or "missing".
    public var status: String
    public var reason: String?
    public var restarts: Int
    public var trainingLoss: Double?
    public var validationLoss: Double?
    public var weights: Int?
    public var neurons: Int?
    public var connectedPairs: Int?
    public var relevantPairs: Int?
    public var jacobianError: Double?
    /// Of the relevant pairs against the plant.
    public var score: StructureScore?
    public var horizons: [Horizon]
  }

  /// All members of a recipe on the same data at a cut, as a row.
  public struct RecipeRow: Sendable {
    public var recipe: String
    public var size: Int
    public var noise: Double
    public var cut: Double
    public var members: Int
    public var diverged: Int
    public var trainingLoss: Figure?
    public var validationLoss: Figure?
    public var weights: Figure?
    public var connected: Structure?
    public var relevant: Structure?
    public var jacobianError: Figure?
    public var horizons: [Horizon]
    /// Mean wall time of a member's training; differs from run to run.
    public var seconds: Double?
  }

  // MARK: Rows

  public var memberRows: [MemberRow] {
    groups.flatMap { group in group.members.map { row($0, group) } }
  }

  /// Members without a model, once each whatever the cuts.
  public var failedMembers: [MemberRow] {
    groups.filter { $0.cut == plan.recipes[$0.cell.recipe].cuts.first }
      .flatMap { group in group.members.map { row($0, group) } }
      .filter { $0.status != "trained" }
  }

  /// What must be known about the training data of some cells.
  public struct Warning: Equatable, Sendable {
    public var size: Int
    public var noise: Double
    public var recipes: [String]
    public var text: String
  }

  /// Once for all recipes that were trained on the same data.
  public var warnings: [Warning] {
    var warnings: [Warning] = []
    for group in groups {
      let recipe = plan.recipes[group.cell.recipe].name
      for text in group.members.compactMap({ $0.record?.warnings }).first ?? [] {
        let same = warnings.firstIndex {
          $0.size == group.cell.size && $0.noise == group.cell.noise && $0.text == text
        }
        if let same {
          if !warnings[same].recipes.contains(recipe) { warnings[same].recipes.append(recipe) }
        } else {
          warnings.append(
            Warning(size: group.cell.size, noise: group.cell.noise, recipes: [recipe], text: text))
        }
      }
    }
    return warnings
  }

  /// A recipe with the cut at which its models are judged.
  static func name(_ recipe: String, cut: Double) -> String {
    recipe + (cut > 0 ? " (cut \(String(format: "%.3g", cut)))" : "")
  }

  /// Recipes none of whose members reads any input, and on which data.
  public var emptyModels: [Warning] {
    groups.compactMap { group in
      let judged = group.judgements
      guard !judged.isEmpty, judged.allSatisfy({ !$0.connected.contains(true) }) else { return nil }
      return Warning(
        size: group.cell.size, noise: group.cell.noise,
        recipes: [StudyResults.name(plan.recipes[group.cell.recipe].name, cut: group.cut)],
        text: "all models are empty: no rate depends on any input, which says nothing of the plant")
    }
  }

  private func row(_ member: Member, _ group: Group) -> MemberRow {
    let record = member.record
    let judgement = member.judgement
    let relevant = judgement.map { self.relevant($0) }
    return MemberRow(
      recipe: plan.recipes[group.cell.recipe].name, size: group.cell.size,
      noise: group.cell.noise, cut: group.cut, member: member.number,
      status: record == nil ? "missing" : record?.divergence == nil ? "trained" : "diverged",
      reason: record?.divergence, restarts: record?.restarts ?? 0,
      trainingLoss: record?.trainingLoss, validationLoss: record?.validationLoss,
      weights: judgement?.weights, neurons: judgement?.neurons,
      connectedPairs: judgement?.connected.count { $0 }, relevantPairs: relevant?.count { $0 },
      jacobianError: judgement.flatMap { jacobianError($0) },
      score: relevant.flatMap { selected in
        truth.map { StructureScore(selected: selected, truth: $0) }
      },
      horizons: judgement.map {
        horizons([(member.number, $0.errors)], common: nil, ensemble: nil)
      } ?? [])
  }

  public var recipeRows: [RecipeRow] {
    groups.map { group in
      let judged = group.members.compactMap(\.judgement)
      let records = group.members.compactMap(\.record)
      return RecipeRow(
        recipe: plan.recipes[group.cell.recipe].name, size: group.cell.size,
        noise: group.cell.noise, cut: group.cut, members: records.count,
        diverged: records.count { $0.divergence != nil },
        trainingLoss: Figure(records.compactMap(\.trainingLoss)),
        validationLoss: Figure(records.compactMap(\.validationLoss)),
        weights: Figure(judged.map { Double($0.weights) }),
        connected: structure(judged.map(\.connected)),
        relevant: structure(judged.map { relevant($0) }),
        jacobianError: Figure(judged.compactMap { jacobianError($0) }),
        horizons: judged.isEmpty
          ? []
          : horizons(
            group.members.compactMap { member in
              member.judgement.map { (member.number, $0.errors) }
            }, common: common(group), ensemble: group.ensemble),
        seconds: records.isEmpty ? nil : records.map(\.seconds).mean)
    }
  }

  func relevant(_ judgement: Judgement) -> [Bool] {
    judgement.relevance.map(plan.selection.selects)
  }

  private func jacobianError(_ judgement: Judgement) -> Double? {
    truth.map { truth in
      truth.medianJacobianError(
        Matrix(
          rows: truth.relevance.rows, columns: truth.relevance.columns,
          elements: judgement.physicalRelevance))
    }
  }

  private func structure(_ chosen: [[Bool]]) -> Structure? {
    guard !chosen.isEmpty else { return nil }
    let selection = Selection(chosen: chosen)
    return Structure(
      pairs: chosen.map { Double($0.count { $0 }) }.mean, stability: selection.stability,
      interval: selection.isUnanimous ? nil : selection.jackknifeInterval(),
      isUnanimous: selection.isUnanimous && !selection.isEmpty && chosen.count > 1,
      score: truth.map { StructureScore(selected: selection.consensus, truth: $0) })
  }

  // MARK: Forecasts

  /// The errors that pairs are compared in: those of every recipe on the same data, each at its own
  /// cut of the same place in its list.
  private func common(_ group: Group) -> [[Int: ForecastErrors]] {
    let place = plan.recipes[group.cell.recipe].cuts.firstIndex(of: group.cut) ?? 0
    return groups.filter { other in
      let cuts = plan.recipes[other.cell.recipe].cuts
      return other.cell.size == group.cell.size && other.cell.noise == group.cell.noise
        && other.cut == cuts[min(place, cuts.count - 1)]
    }.map { other in
      other.members.reduce(into: [:]) { $0[$1.number] = $1.judgement?.errors }
    }
  }

  private func horizons(
    _ members: [(number: Int, errors: ForecastErrors)], common: [[Int: ForecastErrors]]?,
    ensemble: EnsembleJudgement?
  ) -> [Horizon] {
    let errors = members.map(\.errors)
    var outcome = RollingForecast.GroupOutcome(name: "", members: errors)
    if let ensemble {
      outcome.mean = ensemble.errors
      outcome.covered = zip(ensemble.inside, ensemble.all).map { inside, all in
        zip(inside, all).map { (inside: $0, all: $1) }
      }
    }
    return plan.horizons.indices.compactMap { index -> Horizon? in
      guard let summary = ForecastSummary(outcome, horizon: index, compared: [outcome]) else {
        return nil
      }
      func means(_ value: (ForecastMeans) -> Double?) -> Figure? {
        Figure(
          errors.compactMap { errors in
            value(
              ForecastMeans([errors], horizon: index) {
                !errors.diverged($1, horizon: index, by: .instantaneous)
              })
          })
      }
      let shared = common.map { compared in
        ForecastMeans(errors, horizon: index) { place, trajectory in
          compared.allSatisfy { other in
            guard let model = other[members[place].number] else { return false }
            return !model.diverged(trajectory, horizon: index, by: .instantaneous)
          }
        }
      }
      let covered = ensemble.map { Double($0.inside[index].reduce(0, +)) }
      let all = ensemble.map { Double($0.all[index].reduce(0, +)) }
      return Horizon(
        horizon: summary.horizon, absolute: means(\.meanAbsolute),
        squared: means(\.meanSquared), diverged: summary.diverged,
        divergedByTimeMean: summary.divergedByTimeMean, commonPairs: shared?.pairs ?? 0,
        commonAbsolute: shared?.meanAbsolute, ofMean: summary.mean?.meanAbsolute,
        meanDiverged: summary.meanDiverged,
        coverage: covered.flatMap { inside in all.flatMap { $0 > 0 ? inside / $0 : nil } })
    }
  }
}
