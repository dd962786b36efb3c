import Drawing
import Dynamics
import Evidence
import Findings
import Forecasting
import Foundation
import LinearAlgebra
import Networks
import Structure

/// Two ensembles of the same variables side by side: what the second has gained and lost in structure, and how their
/// forecasts differ. An effect counts as gained or lost where the tests of both trainings say so; where one was not
/// tested it is told who reads it, and that this is no more.
public struct EnsembleComparison: Sendable {
  public struct Options: Sendable {
    /// Relevance above which a pair counts.
    public var threshold = PairSelection.usualThreshold
    /// Ascending numbers of samples; nil for 100, 1000 and the longest trajectory's, as far as there are so many.
    public var horizons: [Int]?

    public init() {}
  }

  /// What became of an effect.
  public enum Change: String, CaseIterable, Codable, Sendable {
    /// Excluded in the first, or proven to be below the threshold, and established in the second.
    case gained
    /// The other way round.
    case lost
    /// Established in both, with opposite signs.
    case reversed
    /// Established in both, with intervals that do not meet.
    case larger, smaller
    /// Undecided in the first, established or excluded in the second.
    case nowEstablished = "now established"
    case nowExcluded = "now excluded"
    /// Decided in the first, undecided in the second.
    case nowUndecided = "now undecided"
    /// In most members of one alone, and one or both were not tested.
    case onlyFirst = "only in the first, untested"
    case onlySecond = "only in the second, untested"
    /// Of one of them nothing is explained, so that nothing is said.
    case notSaid = "nothing explained"
    case same

    /// Whether both were tested, and both tests decided.
    public var isEvidence: Bool {
      [.gained, .lost, .reversed, .larger, .smaller].contains(self)
    }
  }

  /// One of the two, of one effect.
  public struct Standing: Sendable {
    public var evidence: PairEvidence?
    /// Members that select the pair, of all.
    public var selected: Int
    public var members: Int
    /// Mean |J| and mean J over the common data; nil without data.
    public var relevance: Double?
    public var effect: Double?
    /// Share of the output's variance that is explained on held-out rows; nil where that is not known.
    public var explained: Double?
    public var isNothing: Bool
  }

  public struct Pair: Sendable {
    public var output: Int
    public var input: Int
    public var first: Standing
    public var second: Standing
    public var change: Change
  }

  /// Errors to one horizon.
  public struct Horizon: Sendable {
    public var samples: Int
    public var trajectories: Int
    /// Mean |error| in deviations over the forecasts that hold; nil where none does.
    public var first: StudyResults.Figure?
    public var second: StudyResults.Figure?
    /// Shares of the forecasts that diverge.
    public var divergedFirst: Double
    public var divergedSecond: Double
    /// Errors of the second as a multiple of the first's, trajectory by trajectory, diverged ones bounded.
    public var ratio: Double
    public var interval: ClosedRange<Double>

    /// "better" of the second, where the interval says so.
    public var verdict: String {
      interval.upperBound < 1 ? "better" : interval.lowerBound > 1 ? "worse" : "open"
    }
  }

  public let first: Ensemble
  public let second: Ensemble
  public let options: Options
  /// Outputs × inputs, row by row.
  public let pairs: [Pair]
  public let horizons: [Horizon]
  public let selections: (first: Selection, second: Selection)
  /// Φ of the second minus Φ of the first; nil where one is undefined.
  public let agreement: Selection.Difference?
  /// The common data in words; nil for none.
  public let place: String?
  /// Why there are no errors, where there could be some.
  public let remark: String?
  let relevances: (first: EnsembleRelevance, second: EnsembleRelevance)?

  /// - Parameters:
  ///   - first: an ensemble.
  ///   - second: another with the same inputs and outputs.
  ///   - data: over which both are looked at and forecast; nil for structure alone.
  ///   - place: what data these are, in words.
  ///   - options: what is compared.
  ///   - threads: that may work at once. They change no result.
  /// - Throws: `DataProblem` for data without the variables.
  public init(
    _ first: Ensemble, _ second: Ensemble, over data: Trajectories?, place: String?,
    options: Options = Options(), threads: Int
  ) async throws {
    (self.first, self.second, self.options, self.place) = (first, second, options, place)
    let rule = PairSelection.relevant(above: options.threshold)
    if let data {
      let points = try data.points(of: first.inputs)
      relevances = (
        try await EnsembleRelevance(first, over: points, threads: threads),
        try await EnsembleRelevance(second, over: points, threads: threads)
      )
    } else {
      relevances = nil
    }
    let selections = (
      first: rule.selection(of: first, relevances?.first),
      second: rule.selection(of: second, relevances?.second)
    )
    self.selections = selections
    agreement = Selection.jackknifeDifference(selections.first, selections.second)
    let standings = [
      Self.standings(first, selections.first, relevances?.first),
      Self.standings(second, selections.second, relevances?.second),
    ]
    let columns = first.inputs.count
    pairs = standings[0].indices.map { pair in
      let (one, other) = (standings[0][pair], standings[1][pair])
      return Pair(
        output: pair / columns, input: pair % columns, first: one, second: other,
        change: Self.change(one, other))
    }
    guard let data else {
      (horizons, remark) = ([], nil)
      return
    }
    do {
      try ForecastReferences.check([first, second], remedy: "their errors are not compared")
      horizons = try await Self.horizons(first, second, data, options, threads)
      remark = nil
    } catch let problem as DataMismatch {
      (horizons, remark) = ([], problem.description)
    }
  }

  // MARK: Structure

  private static func standings(
    _ ensemble: Ensemble, _ selection: Selection, _ relevance: EnsembleRelevance?
  ) -> [Standing] {
    let columns = ensemble.inputs.count
    let (mean, signed) = (relevance?.mean, relevance?.signedMean)
    let frequency = selection.frequency
    return frequency.indices.map { pair in
      let (output, input) = (pair / columns, pair % columns)
      return Standing(
        evidence: ensemble.evidence(output, input),
        selected: Int((frequency[pair] * Double(selection.memberCount)).rounded()),
        members: selection.memberCount, relevance: mean?.elements[pair],
        effect: signed?.elements[pair], explained: ensemble.explained?.shares[output],
        isNothing: ensemble.explained?.isNothing(output) ?? false)
    }
  }

  static func change(_ first: Standing, _ second: Standing) -> Change {
    if first.isNothing || second.isNothing { return .notSaid }
    guard let one = first.evidence, let other = second.evidence else {
      let (has, gets) = (2 * first.selected > first.members, 2 * second.selected > second.members)
      return has == gets ? .same : has ? .onlyFirst : .onlySecond
    }
    // Below the threshold is below the threshold, whether there is a proven rest or none.
    func isOut(_ evidence: PairEvidence) -> Bool { [.absent, .weak].contains(evidence.verdict) }
    switch (one.verdict, other.verdict) {
    case (.undecided, .undecided): return .same
    case (.undecided, .present): return .nowEstablished
    case (.undecided, _): return .nowExcluded
    case (_, .undecided): return .nowUndecided
    case (.present, .present): return change(ofEstablished: one, other)
    case (.present, _): return .lost
    case (_, .present): return .gained
    default: return .same
    }
  }

  private static func change(ofEstablished one: PairEvidence, _ other: PairEvidence) -> Change {
    func isOneWay(_ evidence: PairEvidence) -> Bool {
      abs(evidence.signed) >= 0.5 * evidence.effect
    }
    if isOneWay(one), isOneWay(other), (one.signed < 0) != (other.signed < 0) { return .reversed }
    if let high = one.high, other.low > high { return .larger }
    if let high = other.high, high < one.low { return .smaller }
    return .same
  }

  /// Pairs with this change, those of the larger effect first.
  public func pairs(with change: Change) -> [Pair] {
    func size(_ pair: Pair) -> Double {
      max(
        pair.first.evidence?.effect ?? pair.first.relevance ?? 0,
        pair.second.evidence?.effect ?? pair.second.relevance ?? 0)
    }
    let own = pairs.filter { $0.change == change }
    return own.indices.sorted {
      let (a, b) = (size(own[$0]), size(own[$1]))
      return a != b ? a > b : $0 < $1
    }.map { own[$0] }
  }

  // MARK: Errors

  private static func horizons(
    _ first: Ensemble, _ second: Ensemble, _ data: Trajectories, _ options: Options, _ threads: Int
  ) async throws -> [Horizon] {
    let longest = data.samples.map(\.rows).max() ?? 1
    var wanted = (options.horizons ?? [100, 1000, longest]).filter { $0 <= longest }
    if wanted.isEmpty { wanted = [longest] }
    let inputs = ForecastReferences.plainInputs(of: [first, second], data)
    let states = first.outputs.count
    let forecast = try RollingForecast(
      groups: [first, second].map {
        .init(name: $0.name, members: $0.members.map { .model($0) })
      },
      inputs: inputs, states: Array(inputs.prefix(states)), over: data,
      horizons: Set(wanted).sorted(),
      scale: Array(first.members[0].inputScaling.deviation.prefix(states)))
    let outcome = try await forecast.run(threads: threads)
    return forecast.horizons.indices.compactMap { horizon in
      let errors = outcome.map { BoundedErrors($0.members, horizon: horizon) }
      guard let compared = ErrorComparison(errors[0], errors[1]) else { return nil }
      let figures = outcome.map { group in
        StudyResults.Figure(
          group.members.compactMap { member in
            ForecastMeans([member], horizon: horizon) {
              !member.diverged($1, horizon: horizon, by: .instantaneous)
            }.meanAbsolute
          })
      }
      return Horizon(
        samples: forecast.horizons[horizon], trajectories: errors[0].values.first?.count ?? 0,
        first: figures[0], second: figures[1], divergedFirst: errors[0].divergedShare,
        divergedSecond: errors[1].divergedShare, ratio: compared.ratio,
        interval: compared.ratioInterval)
    }
  }
}
