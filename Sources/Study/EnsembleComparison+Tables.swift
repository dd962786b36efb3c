import Evidence
import Foundation
import Networks
import Reporting
import Structure

/// The comparison in sentences, as tables and for programs.
extension EnsembleComparison {
  public struct Result: Encodable {
    struct Interval: Encodable {
      var low: Double?
      var high: Double?
    }
    struct Side: Encodable {
      var verdict: Verdict?
      var effect: Double?
      var low: Double?
      var high: Double?
      var signed: Double?
      var selected: Int
      var members: Int
      var relevance: Double?
      var explained: Double?

      init(_ standing: Standing) {
        verdict = standing.evidence?.verdict
        effect = standing.evidence?.effect
        low = standing.evidence?.low
        high = standing.evidence?.high
        signed = standing.evidence?.signed
        (selected, members) = (standing.selected, standing.members)
        (relevance, explained) = (standing.relevance, standing.explained)
      }
    }
    struct Pair: Encodable {
      var output: String
      var input: String
      var change: Change
      var first: Side
      var second: Side
    }
    struct Errors: Encodable {
      var horizon: Int
      var trajectories: Int
      var first: Double?
      var firstInterval: Interval
      var second: Double?
      var secondInterval: Interval
      var divergedFirst: Double
      var divergedSecond: Double
      var ratio: Double
      var ratioInterval: Interval
      var verdict: String
    }

    var version = 1
    var first: String
    var second: String
    var data: String?
    var threshold: Double
    var sentences: [String]
    /// How many pairs have each change.
    var changes: [String: Int]
    var pairs: [Pair]
    var errors: [Errors]
    var stabilityFirst: Double?
    var stabilitySecond: Double?
    var stabilityDifference: Double?
    var stabilityInterval: Interval?
  }

  public var result: Result {
    Result(
      first: first.name, second: second.name, data: place, threshold: options.threshold,
      sentences: sentences.map(\.text),
      changes: Dictionary(
        uniqueKeysWithValues: Change.allCases.map { change in
          (change.rawValue, pairs.count { $0.change == change })
        }),
      pairs: pairs.map { pair in
        Result.Pair(
          output: first.outputs[pair.output].name, input: first.inputs[pair.input].name,
          change: pair.change, first: Result.Side(pair.first), second: Result.Side(pair.second))
      },
      errors: horizons.map { horizon in
        Result.Errors(
          horizon: horizon.samples, trajectories: horizon.trajectories, first: horizon.first?.mean,
          firstInterval: .init(low: horizon.first?.low, high: horizon.first?.high),
          second: horizon.second?.mean,
          secondInterval: .init(low: horizon.second?.low, high: horizon.second?.high),
          divergedFirst: horizon.divergedFirst, divergedSecond: horizon.divergedSecond,
          ratio: horizon.ratio,
          ratioInterval: .init(low: horizon.interval.lowerBound, high: horizon.interval.upperBound),
          verdict: horizon.verdict)
      },
      stabilityFirst: selections.first.stability, stabilitySecond: selections.second.stability,
      stabilityDifference: agreement?.stability,
      stabilityInterval: agreement.map {
        .init(low: $0.interval.lowerBound, high: $0.interval.upperBound)
      })
  }

  // MARK: Words

  private var areTested: Bool { first.evidence != nil && second.evidence != nil }

  func name(_ pair: Pair) -> String {
    "\(EffectSentences.short(first.inputs[pair.input].name)) → \(EffectSentences.short(first.members[0].label(ofOutput: pair.output)))"
  }

  private func list(_ change: Change, most: Int = 4) -> String {
    let own = pairs(with: change)
    return own.prefix(most).map(name).joined(separator: ", ")
      + (own.count > most ? " and \(own.count - most) more" : "")
  }

  /// Structure, sureness, forecasts.
  package var sentences: [ReportDocument.Statement] {
    [
      .init("Structure", structureSentence), .init("How sure that is", sureSentence),
      .init("Forecasts", forecastSentence),
    ]
  }

  private var structureSentence: String {
    func count(_ change: Change) -> Int { pairs.count { $0.change == change } }
    func told(_ change: Change, _ words: String) -> String? {
      count(change) == 0 ? nil : "\(count(change)) \(words) (\(list(change)))"
    }
    let parts = [
      told(.gained, "gained"), told(.lost, "lost"), told(.reversed, "of the other sign"),
      told(.larger, "larger"), told(.smaller, "smaller"),
      told(.nowEstablished, "established that \(first.name) left undecided"),
      told(.nowExcluded, "excluded that \(first.name) left undecided"),
      told(.nowUndecided, "undecided that \(first.name) had decided"),
      told(.onlySecond, "read by most members of \(second.name) alone"),
      told(.onlyFirst, "read by most members of \(first.name) alone"),
    ].compactMap { $0 }
    guard !parts.isEmpty else {
      return
        "Of \(pairs.count) effects none \(areTested ? "is told apart by the tests" : "is in most members of one alone")."
    }
    return "From \(first.name) to \(second.name), of \(pairs.count) effects: "
      + parts.joined(separator: "; ") + "."
  }

  private var sureSentence: String {
    var text: String
    if areTested {
      let same = pairs.count { $0.change == .same }
      text =
        "Both were tested in training; gained and lost are said where both tests decide, and \(same) effects are "
        + "not told apart, which does not prove them equal"
    } else {
      let untested = [first, second].filter { $0.evidence == nil }.map(\.name)
      text =
        "The effects of \(untested.joined(separator: " and ")) were not tested in training: what members read says "
        + "how training decides, not what the plant does"
    }
    let silent = Set(pairs.filter { $0.change == .notSaid }.map(\.output)).sorted()
    if !silent.isEmpty {
      text +=
        "; nothing is explained of "
        + silent.prefix(4).map { EffectSentences.short(first.outputs[$0].name) }.joined(
          separator: ", ")
        + (silent.count > 4 ? " and \(silent.count - 4) more" : "")
        + " by one of them, of which nothing is said"
    }
    if let agreement {
      text +=
        "; agreement of the members Φ changes by \(FigureText.signed(agreement.stability)) "
        + FigureText.interval(agreement.interval)
        + (agreement.isClear ? "" : ", which is no clear difference")
    }
    return text + "."
  }

  private var forecastSentence: String {
    guard let last = horizons.last else {
      return remark.map { "Not compared: \($0)." } ?? "Not compared: no data were given."
    }
    let answer =
      switch last.verdict {
      case "better": "\(second.name) forecasts better"
      case "worse": "\(second.name) forecasts worse"
      default: "which forecasts better is open"
      }
    func percent(_ share: Double) -> String { String(format: "%.3g %%", 100 * share) }
    return
      "Over \(last.samples) samples on \(counted(last.trajectories, "trajectory")) \(answer): its errors are × "
      + FigureText.figure(last.ratio, last.interval) + " those of \(first.name); "
      + (last.divergedFirst + last.divergedSecond == 0
        ? "no forecast diverged."
        : "\(percent(last.divergedFirst)) of the first's forecasts diverged, \(percent(last.divergedSecond)) of the second's.")
  }

  // MARK: Tables

  public var tables: [Table] { tables(isWhole: false) }

  /// - Parameter isWhole: whether every pair that differs is told, or those that people read.
  func tables(isWhole: Bool) -> [Table] {
    var tables = [changeTable(isWhole: isWhole)].compactMap { $0 }
    if !horizons.isEmpty { tables.append(errorTable) }
    if tables.isEmpty { tables = [countTable] }
    tables[0].notes = sentences.map { "\($0.label): \($0.text)" } + tables[0].notes
    return tables
  }

  /// "present .77 (.71 to .83)", or how many members read it.
  private func words(_ standing: Standing) -> String {
    if standing.isNothing { return "nothing explained" }
    guard let evidence = standing.evidence else {
      return "\(standing.selected) of \(standing.members)"
    }
    func short(_ value: Double) -> String { Cell.number(value).short }
    return "\(evidence.verdict.rawValue) \(short(evidence.effect)) (\(short(evidence.low)) to "
      + "\(evidence.high.map(short) ?? "anything"))"
  }

  private static let note =
    "Verdicts with R = mean |J| in standardised units and its interval of 95 %, as the training found them; where there "
    + "was no test, how many members read the input. R²: share of the output explained on held-out rows. Gained, lost: "
    + "decided by both tests. Intervals of trainings on the same data are not independent of each other."

  /// What differs; nil where nothing does.
  private func changeTable(isWhole: Bool) -> Table? {
    let changed = Change.allCases.filter { $0 != .same && $0 != .notSaid }.flatMap {
      pairs(with: $0)
    }
    guard !changed.isEmpty else { return nil }
    let most = isWhole ? changed.count : Self.mostRows
    var table = table(
      "What differs in structure: \(first.name) and \(second.name)", Array(changed.prefix(most)))
    if changed.count > most {
      table.notes.insert("\(changed.count - most) more are in JSON, in CSV and on the page.", at: 0)
    }
    return table
  }

  /// Where nothing differs: how many pairs have each change.
  private var countTable: Table {
    Table(
      title: "Structure: \(first.name) and \(second.name)", corner: "change", columns: ["effects"],
      rows: Change.allCases.compactMap { change in
        let count = pairs.count { $0.change == change }
        return count == 0 ? nil : (change.rawValue, [.integer(count)])
      }, notes: [Self.note])
  }

  private static let mostRows = 30

  private func table(_ title: String, _ shown: [Pair]) -> Table {
    func share(_ value: Double?) -> Cell {
      value.map { .text(ExplainedShares.words($0)) } ?? .missing
    }
    let table = Table(
      title: title, corner: "input → output",
      columns: ["change", first.name, "R² first", second.name, "R² second"],
      rows: shown.map { pair in
        (
          name(pair),
          [
            .text(pair.change.rawValue), .text(words(pair.first)), share(pair.first.explained),
            .text(words(pair.second)), share(pair.second.explained),
          ]
        )
      }, notes: [Self.note])
    return table
  }

  /// Every pair, for programs.
  public var pairsTable: Table {
    func cell(_ value: Double?) -> Cell { value.map(Cell.number) ?? .missing }
    func cells(_ standing: Standing) -> [Cell] {
      [
        standing.evidence.map { .text($0.verdict.rawValue) } ?? .missing,
        cell(standing.evidence?.effect), cell(standing.evidence?.low),
        cell(standing.evidence?.high),
        .integer(standing.selected), .integer(standing.members), cell(standing.relevance),
        cell(standing.explained),
      ]
    }
    let parts = [
      "verdict", "effect", "low", "high", "selected", "members", "relevance", "explained",
    ]
    return Table(
      title: "", corner: "output",
      columns: ["input", "change"]
        + ["first", "second"].flatMap { side in parts.map { "\(side)_\($0)" } },
      rows: pairs.map { pair in
        (
          first.outputs[pair.output].name,
          [.text(first.inputs[pair.input].name), .text(pair.change.rawValue)] + cells(pair.first)
            + cells(pair.second)
        )
      })
  }

  private var errorTable: Table {
    Table(
      title: "Errors of free forecasts" + (place.map { " over \($0)" } ?? ""), corner: "samples",
      columns: [
        first.name, "% div. first", second.name, "% div. second", "ratio", "low", "high",
        "second is",
      ],
      rows: horizons.map { horizon in
        (
          String(horizon.samples),
          [
            Self.cell(horizon.first), .number(100 * horizon.divergedFirst),
            Self.cell(horizon.second),
            .number(100 * horizon.divergedSecond), .number(horizon.ratio),
            .number(horizon.interval.lowerBound),
            .number(horizon.interval.upperBound), .text(horizon.verdict),
          ]
        )
      },
      notes: [
        "Mean |forecast − truth| in deviations of the states over the forecasts that hold, with intervals over members; "
          + "% div.: forecasts that diverge; ratio: second over first, trajectory by trajectory, diverged ones counted as "
          + "\(FigureText.number(EnsembleComparison.bound)), with a bootstrap interval of members and trajectories."
      ])
  }

  private static func cell(_ figure: StudyResults.Figure?) -> Cell {
    guard let figure else { return .missing }
    guard let low = figure.low, let high = figure.high, high - low > 1e-3 * abs(figure.mean) else {
      return .number(figure.mean)
    }
    func short(_ value: Double) -> String { Cell.number(value).short }
    return .text("\(short(figure.mean)) (\(short(max(0, low))) to \(short(high)))")
  }
}
