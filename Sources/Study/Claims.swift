import Forecasting
import Foundation
import LinearAlgebra
import Structure

/// What is claimed of sparse models, each claim held against what a study measured.
struct Claims {
  /// Whether what was measured bears a claim out.
  enum Answer: String {
    case yes, no, open
  }

  /// A claim about one recipe, size by size.
  struct Line {
    var claim: String
    var recipe: String
    /// Per size of the plan; nil where nothing was measured.
    var findings: [Finding?]
  }

  /// A figure and what follows from it.
  typealias Finding = (figure: String, answer: Answer)
  private typealias Pair = (dense: StudyResults.Group, sparse: StudyResults.Group)

  let lines: [Line]
  let sizes: [Int]

  /// Nil where the plan compares nothing.
  init?(_ results: StudyResults) {
    let plan = results.plan
    guard let comparison = plan.comparison else { return nil }
    sizes = plan.sizes
    let noise = plan.noise.min() ?? 0
    let last = plan.horizons.count - 1
    let middle = max(0, last - 2)
    var lines: [Line] = []
    func group(_ recipe: Int, _ size: Int, _ cut: Double) -> StudyResults.Group? {
      results.groups.first {
        $0.cell == StudyPlan.Cell(recipe: recipe, size: size, noise: noise) && $0.cut == cut
          && !$0.judgements.isEmpty
      }
    }
    func add(_ claim: String, _ judge: (Pair) -> Finding?) {
      for (recipe, cut) in comparison.sparse {
        let name = StudyResults.name(plan.recipes[recipe].name, cut: cut)
        let findings = plan.sizes.map { size -> Finding? in
          let reference = plan.recipes[comparison.reference]
          guard let dense = group(comparison.reference, size, reference.cuts[0]),
            let sparse = group(recipe, size, cut)
          else { return nil }
          return judge((dense, sparse))
        }
        if findings.contains(where: { $0 != nil }) {
          lines.append(Line(claim: claim, recipe: name, findings: findings))
        }
      }
    }
    add("Sparse models have less than half of the dense models' weights") { Self.size($0) }
    for horizon in Set([middle, last]).sorted() {
      add("They forecast \(plan.horizons[horizon]) samples with smaller errors") { pair in
        Self.compare(pair, horizon) { comparison in
          (
            "× " + FigureText.figure(comparison.ratio, comparison.ratioInterval),
            Self.below(1, comparison.ratioInterval)
          )
        }
      }
    }
    add("Fewer of their forecasts diverge within \(plan.horizons[last]) samples") { pair in
      Self.compare(pair, last) { comparison in
        let interval = comparison.divergenceInterval
        // Where neither diverges there is nothing to claim.
        guard comparison.divergence != 0 || interval.lowerBound != interval.upperBound else {
          return nil
        }
        return (
          FigureText.figure(
            100 * comparison.divergence, (100 * interval.lowerBound)...(100 * interval.upperBound))
            + " points",
          Self.below(0, interval)
        )
      }
    }
    add("The members of an ensemble agree on the structure (Φ above 0.75)") {
      Self.agreement($0, results)
    }
    add("They agree more than dense members do") { Self.moreAgreement($0, results) }
    if results.truth != nil {
      add("What they find is nearer to the plant's structure (F1 of members)") {
        Self.truth($0, results)
      }
    }
    guard !lines.isEmpty else { return nil }
    self.lines = lines
  }

  /// What the answers of a line amount to.
  static func overall(_ line: Line, sizes: [Int]) -> String {
    let known = zip(sizes, line.findings).compactMap { size, finding in
      finding.map { (size: size, answer: $0.answer) }
    }
    func at(_ answer: Answer) -> [Int] { known.filter { $0.answer == answer }.map(\.size) }
    let answers = [Answer.yes, .no, .open].filter { !at($0).isEmpty }
    if answers.count == 1 { return answers[0].rawValue }
    return answers.map { "\($0.rawValue) from \(at($0).map(String.init).joined(separator: ", "))" }
      .joined(separator: "; ")
  }

  // MARK: Judging

  /// Whether an interval lies below a value, above it, or holds it.
  private static func below(_ value: Double, _ interval: ClosedRange<Double>) -> Answer {
    interval.upperBound < value ? .yes : interval.lowerBound > value ? .no : .open
  }

  private static func opposite(_ answer: Answer) -> Answer {
    switch answer {
    case .yes: .no
    case .no: .yes
    case .open: .open
    }
  }

  private static func size(_ pair: Pair) -> Finding? {
    let dense = pair.dense.judgements.map { Double($0.weights) }
    guard let weights = StudyResults.Figure(pair.sparse.judgements.map { Double($0.weights) }),
      let all = dense.isEmpty ? nil : dense.mean, all > 0
    else { return nil }
    guard let low = weights.low, let high = weights.high else {
      return (FigureText.number(100 * weights.mean / all) + " %", .open)
    }
    let interval = low...high
    return (
      FigureText.figure(
        100 * weights.mean / all,
        (100 * interval.lowerBound / all)...(100 * interval.upperBound / all)
      ) + " %",
      below(all / 2, interval)
    )
  }

  private static func compare(
    _ pair: Pair, _ horizon: Int,
    _ judge: (ErrorComparison) -> Finding?
  ) -> Finding? {
    ErrorComparison(
      BoundedErrors(pair.dense.judgements.map(\.errors), horizon: horizon),
      BoundedErrors(pair.sparse.judgements.map(\.errors), horizon: horizon)
    ).flatMap(judge)
  }

  private static func selection(_ group: StudyResults.Group, _ results: StudyResults) -> Selection?
  {
    let chosen = group.judgements.map { results.relevant($0) }
    return chosen.isEmpty ? nil : Selection(chosen: chosen)
  }

  private static func agreement(
    _ pair: Pair, _ results: StudyResults
  ) -> Finding? {
    guard let selection = selection(pair.sparse, results), selection.memberCount > 1 else {
      return nil
    }
    let relevances = Set(pair.sparse.judgements.map(\.relevance))
    if relevances.count == 1 { return ("members do not differ", .open) }
    if selection.isUnanimous {
      let count = selection.chosen[0].count { $0 }
      return count == 0 || count == selection.pairCount
        ? ("all select \(count == 0 ? "none" : "every pair")", .open) : ("all agree", .yes)
    }
    guard let stability = selection.stability, let interval = selection.jackknifeInterval() else {
      return nil
    }
    return (
      String(format: "%.2f (%.2f to %.2f)", stability, interval.lowerBound, interval.upperBound),
      opposite(below(0.75, interval))
    )
  }

  private static func moreAgreement(
    _ pair: Pair, _ results: StudyResults
  ) -> Finding? {
    guard let dense = selection(pair.dense, results), let sparse = selection(pair.sparse, results),
      dense.memberCount > 1, sparse.memberCount > 1
    else { return nil }
    guard let change = Selection.jackknifeDifference(dense, sparse) else {
      // Φ says nothing of choices that are all or none, or the same for all.
      let alike = [("dense", dense), ("these", sparse)].filter { $0.1.isUnanimous }.map {
        "\($0.0): all select the same \($0.1.chosen[0].count { $0 })"
      }
      return alike.isEmpty ? nil : (alike.joined(separator: "; "), .open)
    }
    return (
      FigureText.signed(change.stability) + " " + FigureText.interval(change.interval),
      opposite(below(0, change.interval))
    )
  }

  private static func truth(
    _ pair: Pair, _ results: StudyResults
  ) -> Finding? {
    guard let truth = results.truth else { return nil }
    func scores(_ group: StudyResults.Group) -> [Double] {
      group.judgements.map {
        StructureScore(selected: results.relevant($0), truth: truth).f1 ?? 0
      }
    }
    let (dense, sparse) = (scores(pair.dense), scores(pair.sparse))
    guard let found = meanDifference(dense, sparse) else { return nil }
    return (
      String(format: "%.2f against %.2f, ", sparse.mean, dense.mean)
        + FigureText.signed(found.change) + " " + FigureText.interval(found.interval),
      opposite(below(0, found.interval))
    )
  }
}
