import Evidence
import Foundation
import GraphDrawing
import Networks
import Structure

/// What the data say of pairs, and how much of each rate is explained, where an ensemble carries it.
extension PairDrawing {
  /// How verdicts are shown.
  enum VerdictDisplay {
    /// Not at all.
    case none
    /// In classes, tooltips and data.
    case told
    /// Also by dots, hollow heads and a legend.
    case drawn
  }

  mutating func show(_ display: VerdictDisplay, of ensemble: Ensemble) {
    guard display != .none, let evidence = ensemble.evidence else { return }
    explained = ensemble.explained
    for index in links.indices {
      let pair = evidence.pairs[links[index].output][links[index].input]
      links[index].tell(pair, explained?.shares[links[index].output])
      if display == .drawn, pair.verdict == .undecided { links[index].markUndecided() }
    }
    if display == .drawn { captions.legend.append(Self.legend(evidence)) }
    if let explained { captions.legend.append(explained.legend(outputs.map(\.name))) }
  }

  private static func legend(_ evidence: EnsembleEvidence) -> [Captions.Sample] {
    let all = evidence.pairs.joined()
    return [Captions.Sample(mark: .none, text: "the data say")]
      + [Verdict.present, .weak, .absent].map { verdict in
        Captions.Sample(
          mark: .none, text: "\(verdict.rawValue) (\(all.count { $0.verdict == verdict }))")
      } + [
        Captions.Sample(
          mark: .line, text: "undecided (\(all.count { $0.verdict == .undecided }))",
          attributes: [
            "color": .keyword(DrawingStyle.faint), "style": "dotted", "penwidth": 1.2,
            "arrowhead": "none",
          ])
      ]
  }

  // MARK: Shares

  /// By number of the output, for tooltips.
  var explainedRemarks: [Int: String] {
    guard let explained else { return [:] }
    var remarks: [Int: String] = [:]
    for (output, share) in explained.shares.enumerated() {
      guard let share else { continue }
      remarks[output] =
        explained.isNothing(output)
        ? "nothing of it is explained (R² \(ExplainedShares.digits(share)))"
        : "R² \(ExplainedShares.digits(share)) on held-out data"
    }
    return remarks
  }

  /// R² to the right of each rate.
  func explainedTexts(beside column: VariableColumn) -> [Graph.Node] {
    guard let explained else { return [] }
    return zip(column.numbers, column.centres).compactMap { number, centre in
      guard let share = explained.shares[number] else { return nil }
      let isNothing = explained.isNothing(number)
      let scale = column.size.fontSize / 10
      let width = (isNothing ? 96.0 : 56) * scale
      return DrawingStyle.text(
        "explained-\(number)",
        isNothing ? "nothing explained" : "R² \(ExplainedShares.digits(share))",
        at: Point(centre.x + column.width / 2 + 4 + width / 2, centre.y), width: width,
        size: 9 * (column.size == .full ? 1 : 8.0 / 9),
        colour: isNothing ? DrawingStyle.negative : DrawingStyle.faint)
    }
  }
}

extension PairLink {
  fileprivate mutating func tell(_ pair: PairEvidence, _ share: Double?) {
    if case .keyword(let kind)? = attributes["class"] {
      attributes["class"] = .keyword("\(kind) verdict-\(pair.verdict.rawValue)")
    }
    let high = pair.high.map { "to \(DrawingStyle.number($0))" } ?? "and more"
    tooltip +=
      "; the data say \(pair.verdict.rawValue): R \(DrawingStyle.number(pair.effect)) "
      + "(\(DrawingStyle.number(pair.low)) \(high))"
    data["verdict"] = .text(pair.verdict.rawValue)
    data["low"] = .number(pair.low)
    if let high = pair.high { data["high"] = .number(high) }
    if let share {
      tooltip += ", R² of the rate \(ExplainedShares.digits(share))"
      data["explained"] = .number(share)
    }
  }

  fileprivate mutating func markUndecided() {
    attributes["style"] = "dotted"
    isHollow = true
    if case .number(let width)? = attributes["penwidth"] {
      // Dots thinner than this are not seen.
      attributes["penwidth"] = .number(max(0.9, width))
    }
    guard strength == 0 else { return }
    // The models do without it: there is no sign and no size to show.
    attributes["class"] = "dependency verdict-undecided"
    attributes["color"] = .keyword(DrawingStyle.faint)
    label = nil
  }
}

extension ExplainedShares {
  /// Two decimals; what is below zero is worse than the mean and no more.
  static func digits(_ share: Double) -> String {
    share < 0 ? "below 0" : String(format: "%.2f", share)
  }

  /// What R² is, and of which rates nothing is explained.
  func legend(_ names: [String]) -> [Captions.Sample] {
    let nothing = unexplained.map { names[$0] }
    let some = nothing.prefix(4).joined(separator: ", ") + (nothing.count > 4 ? ", …" : "")
    let known = shares.compactMap { $0 }
    let range = "\(Self.digits(known.min() ?? 0)) to \(Self.digits(known.max() ?? 0))"
    return [
      Captions.Sample(mark: .none, text: "R²: share of a rate explained on held-out data, \(range)")
    ]
      + (nothing.isEmpty
        ? []
        : [
          Captions.Sample(
            mark: .none, text: "nothing explained of \(some): missing lines there say nothing")
        ])
  }
}

extension Ensemble {
  /// The pairs to draw: those that are selected, and those of which the data cannot tell.
  func drawn(_ selected: [Bool]) -> [Int] {
    let columns = inputs.count
    return selected.indices.filter {
      selected[$0] || evidence($0 / columns, $0 % columns)?.verdict == .undecided
    }
  }
}
