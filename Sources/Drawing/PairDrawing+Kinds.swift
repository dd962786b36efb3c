import Dynamics
import Foundation
import GraphDrawing
import LinearAlgebra
import Networks
import Structure

extension PairDrawing {
  /// What an ensemble selects over data: in more than half of the members.
  public struct Chosen: Sendable {
    public let ensemble: Ensemble
    public let relevance: EnsembleRelevance
    public let rule: PairSelection
    public let selection: Selection

    public init(_ ensemble: Ensemble, relevance: EnsembleRelevance, rule: PairSelection) {
      self.ensemble = ensemble
      self.relevance = relevance
      self.rule = rule
      selection = rule.selection(of: ensemble, relevance)
    }

    var condition: String {
      let members = ensemble.members.count
      return rule.words
        + (members > 1 ? " in more than half of \(members) members" : "")
    }
  }

  // MARK: Dependencies

  /// Every selected pair: width by relevance, colour and label by signed mean sensitivity.
  public static func dependencies(_ chosen: Chosen, title: String) -> PairDrawing {
    let mean = chosen.relevance.mean
    let signed = chosen.relevance.signedMean
    let selected = chosen.selection.consensus
    let pairs = chosen.ensemble.drawn(selected)
    let strongest = pairs.map { mean.elements[$0] }.max() ?? 0
    func variesInSign(_ pair: Int) -> Bool {
      abs(signed.elements[pair]) < 0.5 * mean.elements[pair]
    }
    return PairDrawing(chosen.ensemble, pairs, title: title, verdicts: .drawn) { pair in
      let sign = signed.elements[pair] < 0 ? -1.0 : 1.0
      var attributes = DrawingStyle.edge(sign * mean.elements[pair], strongest: strongest)
      attributes["class"] = sign < 0 ? "dependency negative" : "dependency positive"
      return Mark(
        strength: mean.elements[pair], attributes: attributes,
        label: DrawingStyle.signed(signed.elements[pair], magnitude: mean.elements[pair]),
        tooltip: chosen.tooltip(pair, mean.elements[pair], signed.elements[pair]),
        data: chosen.data(pair, mean.elements[pair], signed.elements[pair]))
    } captions: {
      $0.counts = "\(selected.count { $0 }) of \(selected.count) pairs with \(chosen.condition)"
      $0.legend = [.scale("mean |J|, sign of mean J", strongest: strongest)]
      $0.caption = "labels: mean J in standardised units"
      if pairs.contains(where: variesInSign) {
        $0.caption += "; ± where its sign varies over the data: mean |J|"
      }
    }
  }

  // MARK: Against a plant

  /// The selected pairs judged by a plant, and the plant's own that are missing.
  public static func judged(_ chosen: Chosen, by truth: PlantTruth, plant: String, title: String)
    -> PairDrawing
  {
    let selected = chosen.selection.consensus
    let columns = chosen.ensemble.inputs.count
    let outcomes = selected.indices.map { pair in
      truth.outcome(pair / columns, pair % columns, isSelected: selected[pair])
    }
    let pairs = selected.indices.filter { PlantTruth.Outcome.drawn.contains(outcomes[$0]) }
    let (mean, signed) = (chosen.relevance.mean, chosen.relevance.signedMean)
    func size(_ pair: Int) -> Double {
      outcomes[pair] == .missed ? truth.relevance.elements[pair] : mean.elements[pair]
    }
    let strongest = pairs.map(size).max() ?? 0
    return PairDrawing(chosen.ensemble, pairs, title: title, verdicts: .told) { pair in
      let outcome = outcomes[pair]
      let label = outcome == .missed ? "(\(DrawingStyle.number(size(pair))))" : nil
      return Mark(
        strength: size(pair), isOnTop: outcome != .found,
        attributes: outcome.style(share: strongest > 0 ? size(pair) / strongest : 0),
        label: label ?? DrawingStyle.signed(signed.elements[pair]),
        tooltip: "\(outcome.meaning): "
          + chosen.tooltip(pair, mean.elements[pair], signed.elements[pair])
          + ", of the plant \(DrawingStyle.number(truth.relevance.elements[pair]))",
        data: chosen.data(pair, mean.elements[pair], signed.elements[pair]).merging([
          "plant": .number(truth.relevance.elements[pair]), "outcome": .text(outcome.meaning),
        ]) { $1 })
    } captions: { captions in
      let score = StructureScore(selected: selected, truth: truth)
      captions.counts =
        "of \(score.found + score.missed) pairs of the plant \(plant) \(score.found) found, "
        + "\(score.missed) missed; \(score.spurious) spurious"
        + (score.f1.map { String(format: "; F1 %.2f", $0) } ?? "")
      captions.legend = [
        PlantTruth.Outcome.drawn.map { outcome in
          let count = outcomes.count { $0 == outcome }
          return Captions.Sample(
            mark: .line, text: "\(outcome.meaning) (\(count))",
            attributes: outcome.style(share: 0.4)
          )
        }
      ]
      captions.caption =
        "selected: \(chosen.condition) · width: mean |J|; labels: mean J, of missed pairs the plant's mean |J|"
      captions.captionWithoutLabels = "selected: \(chosen.condition) · width: mean |J|"
    }
  }

  // MARK: Consensus

  /// How many members select each pair.
  ///
  /// - Parameters:
  ///   - ensemble: whose members chose.
  ///   - selection: what each member selects, outputs × inputs.
  ///   - signed: mean J of each pair, for colours and dashes by sign; nil without data, for those by the share of
  ///     members.
  ///   - condition: what selects a pair, in words.
  ///   - title: above the drawing.
  public static func consensus(
    _ ensemble: Ensemble, _ selection: Selection, signed: [Double]? = nil, condition: String,
    title: String
  ) -> PairDrawing {
    let members = selection.memberCount
    let votes = selection.frequency.map { Int(($0 * Double(members)).rounded()) }
    let pairs = ensemble.drawn(votes.map { $0 > 0 })
    return PairDrawing(ensemble, pairs, title: title, verdicts: .drawn) { pair in
      Mark(
        strength: Double(votes[pair]),
        attributes: Self.frequencyStyle(Double(votes[pair]) / Double(members), signed?[pair]),
        label: votes[pair] == members ? nil : "\(votes[pair])/\(members)",
        tooltip: "\(ensemble.pairName(pair)): \(votes[pair]) of \(members) members"
          + (signed.map { ", mean J \(DrawingStyle.number($0[pair]))" } ?? ""),
        data: [
          "weight": .number(Double(votes[pair]) / Double(members)),
          "members": .integer(votes[pair]),
        ].merging(signed.map { ["effect": .number($0[pair])] } ?? [:]) { $1 })
    } captions: { captions in
      let unanimous = votes.count { $0 == members }
      let most = votes.count { 2 * $0 > members }
      captions.counts =
        "\(condition): \(unanimous) pairs in all \(members) members, \(most) in most, "
        + "\(votes.count { $0 > 0 }) in some"
        + (selection.isEmpty ? "; empty models agree on nothing" : "")
        + (selection.stability.map { String(format: "; Φ %.2f", $0) } ?? "")
      captions.legend = [Self.frequencyLegend(members, hasSigns: signed != nil)]
    }
  }

  /// Wider the more members have it. By its sign blue and solid or orange and dashed; where that is not known blue and
  /// solid if most members have it, orange and dashed below.
  private static func frequencyStyle(_ share: Double, _ effect: Double? = nil) -> Attributes {
    let isMost = share > 0.5
    let opacity = share == 1 ? "FF" : isMost ? "B0" : effect == nil ? "C0" : "70"
    let isBlue = effect.map { $0 >= 0 } ?? isMost
    return [
      "color": .keyword((isBlue ? DrawingStyle.positive : DrawingStyle.negative) + opacity),
      "style": isBlue ? "solid" : "dashed", "arrowhead": "none",
      "penwidth": .number(0.4 + 1.2 * share * share),
      "class": .keyword("dependency " + (share == 1 ? "unanimous" : isMost ? "most" : "some")),
    ]
  }

  private static func frequencyLegend(_ members: Int, hasSigns: Bool) -> [Captions.Sample] {
    let most = (3 * members + 3) / 4
    var shown = [members]
    if most < members && 2 * most > members { shown.append(most) }
    if members > 1 { shown.append(max(1, members / 4)) }
    var legend = [Captions.Sample(mark: .none, text: "members that have the pair")]
    legend += shown.map {
      Captions.Sample(
        mark: .line, text: $0 == members ? "all \(members)" : "\($0) of \(members)",
        attributes: frequencyStyle(Double($0) / Double(members), hasSigns ? 1 : nil))
    }
    guard hasSigns else { return legend }
    return legend + [
      Captions.Sample(mark: .line, text: "negative", attributes: frequencyStyle(1, -1))
    ]
  }

  // MARK: Differences

  /// What two models or ensembles have in common and what only one has.
  ///
  /// - Parameters:
  ///   - first: drawn as left.
  ///   - second: drawn as right; of the same variables.
  ///   - pairs: selected by each, in most of its members.
  ///   - sizes: of each pair in both, mean |J| or share of members.
  ///   - signed: mean J of each pair in both, whose change counts as well; nil without data.
  ///   - change: relative change of the size from which on a common pair counts as changed.
  ///   - condition: what selects a pair, in words.
  ///   - measure: what the sizes are, in words.
  ///   - title: above the drawing.
  public static func difference(
    _ first: Ensemble, _ second: Ensemble, pairs: ([Bool], [Bool]), sizes: ([Double], [Double]),
    signed: ([Double], [Double])? = nil, change: Double, condition: String, measure: String,
    title: String
  ) -> PairDrawing {
    let kinds = pairs.0.indices.map { pair in
      Side(
        pairs.0[pair], pairs.1[pair],
        isChanged: [sizes, signed ?? sizes].contains { values in
          abs(values.0[pair] - values.1[pair]) > change
            * max(abs(sizes.0[pair]), abs(sizes.1[pair]))
        })
    }
    let drawn = kinds.indices.filter { kinds[$0] != nil }
    let strongest = drawn.map { max(sizes.0[$0], sizes.1[$0]) }.max() ?? 0
    return PairDrawing(first, drawn, title: title) { pair in
      let side = kinds[pair] ?? .both
      let size = max(sizes.0[pair], sizes.1[pair])
      let (before, after) = (DrawingStyle.number(sizes.0[pair]), DrawingStyle.number(sizes.1[pair]))
      return Mark(
        strength: size, isOnTop: side != .both,
        attributes: side.style(share: strongest > 0 ? size / strongest : 0),
        label: Self.label(side, pair, sizes, signed),
        tooltip: "\(first.pairName(pair)): \(measure) \(before) in \(first.name), "
          + "\(after) in \(second.name)",
        data: [
          "weight": .number(size), "first": .number(sizes.0[pair]),
          "second": .number(sizes.1[pair]), "side": .text(side.rawValue),
        ])
    } captions: { captions in
      func count(_ side: Side) -> Int { kinds.count { $0 == side } }
      captions.counts =
        "\(condition): \(count(.both) + count(.changed)) pairs in both"
        + (count(.changed) > 0 || signed != nil ? ", of them \(count(.changed)) changed" : "")
        + "; \(count(.first)) only in \(first.name), \(count(.second)) only in \(second.name)"
      let meanings: [(Side, String)] = [
        (.first, "only \(first.name)"), (.second, "only \(second.name)"),
        (.changed, "\(measure) changed by more than \(Int((change * 100).rounded())) %"),
        (.both, signed == nil ? "in both" : "alike"),
      ]
      captions.legend = [
        meanings.map {
          Captions.Sample(mark: .line, text: $0.1, attributes: $0.0.style(share: 0.4))
        }
      ]
      captions.caption =
        signed == nil
        ? "width and labels: \(measure)"
        : "width: \(measure); labels: mean J, ± where its sign varies: mean |J|"
      captions.captionWithoutLabels = "width: \(measure)"
    }
  }

  /// With its sign where that is known: from what to what, or what it is; without data only what changed is labelled.
  private static func label(
    _ side: Side, _ pair: Int, _ sizes: ([Double], [Double]), _ signed: ([Double], [Double])?
  ) -> String? {
    guard let signed else {
      return side == .changed ? "\(short(sizes.0[pair]))→\(short(sizes.1[pair]))" : nil
    }
    let (first, second) = (
      DrawingStyle.signed(signed.0[pair], magnitude: sizes.0[pair]),
      DrawingStyle.signed(signed.1[pair], magnitude: sizes.1[pair])
    )
    return switch side {
    case .first, .both: first
    case .second: second
    case .changed:
      first == second ? "\(short(sizes.0[pair]))→\(short(sizes.1[pair]))" : "\(first)→\(second)"
    }
  }

  private static func short(_ value: Double) -> String {
    String(format: value < 10 ? "%.2g" : "%.0f", value)
  }

  /// Which of two has a pair.
  enum Side: String {
    case first, second, changed, both

    /// Of what both have; too pale for letters.
    static let faintLine = "#BBBBBB"

    init?(_ isInFirst: Bool, _ isInSecond: Bool, isChanged: Bool) {
      switch (isInFirst, isInSecond) {
      case (true, true): self = isChanged ? .changed : .both
      case (true, false): self = .first
      case (false, true): self = .second
      case (false, false): return nil
      }
    }

    func style(share: Double) -> Attributes {
      let (colour, dashes): (String, String) =
        switch self {
        case .first: (DrawingStyle.positive, "solid")
        case .second: (DrawingStyle.negative, "dashed")
        case .changed: ("#8A4F7D", "solid")
        case .both: (Self.faintLine, "solid")
        }
      let least = self == .both ? 0.4 : 0.9
      return [
        "color": .keyword(colour), "style": .keyword(dashes), "arrowhead": "none",
        "penwidth": .number(max(least, DrawingStyle.width(share))),
        "class": .keyword(
          "dependency \(self == .first ? "left" : self == .second ? "right" : rawValue)"),
      ]
    }
  }

  // MARK: Common

  private struct Mark {
    var strength: Double
    var isOnTop = false
    var attributes: Attributes
    var label: String?
    var tooltip: String
    var data: GraphData
  }

  /// - Parameters:
  ///   - pairs: by number, output by output, all inputs of each.
  ///   - verdicts: how those of the data are shown, where the ensemble carries any.
  private init(
    _ ensemble: Ensemble, _ pairs: [Int], title: String, verdicts: VerdictDisplay = .none,
    _ mark: (Int) -> Mark, captions describe: (inout Captions) -> Void
  ) {
    let columns = ensemble.inputs.count
    inputs = ensemble.inputs
    outputs = ensemble.outputs
    links = pairs.map { pair in
      let mark = mark(pair)
      return PairLink(
        output: pair / columns, input: pair % columns, strength: mark.strength,
        isOnTop: mark.isOnTop, attributes: mark.attributes, label: mark.label,
        tooltip: mark.tooltip, data: mark.data)
    }
    captions = Captions(title: title, counts: "")
    describe(&captions)
    show(verdicts, of: ensemble)
  }
}

extension PairDrawing.Chosen {
  fileprivate func tooltip(_ pair: Int, _ mean: Double, _ signed: Double) -> String {
    let share =
      ensemble.members.count > 1
      ? ", \(Int((selection.frequency[pair] * 100).rounded())) % of members" : ""
    return "\(ensemble.pairName(pair)): mean |J| \(DrawingStyle.number(mean)), mean J "
      + "\(DrawingStyle.number(signed))\(share)"
  }
}

extension PairDrawing.Chosen {
  fileprivate func data(_ pair: Int, _ mean: Double, _ signed: Double) -> GraphData {
    [
      "weight": .number(mean), "effect": .number(signed),
      "sign": .integer(signed > 0 ? 1 : signed < 0 ? -1 : 0),
      "members": .number(selection.frequency[pair]),
    ]
  }
}

extension Ensemble {
  fileprivate func pairName(_ pair: Int) -> String {
    "\(inputs[pair % inputs.count].name) → \(members[0].label(ofOutput: pair / inputs.count))"
  }
}
