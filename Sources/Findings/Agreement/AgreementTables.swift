import Foundation
import Reporting
import Structure

/// The reports of ensembles as tables: for people, and one row per pair for programs.
extension AgreementReport {
  /// One row per ensemble and pair.
  public var pairsTable: Table {
    var table = Table(
      title: "", corner: "ensemble",
      columns: ["output", "input", "members"] + reports[0].selections.map(\.kind)
        + (hasData ? ["mean_magnitude"] : []) + (truth == nil ? [] : ["plant"]))
    for report in reports {
      let frequencies = report.selections.map(\.selection.frequency)
      for index in frequencies[0].indices {
        let (row, column) = (index / report.result.inputs.count, index % report.result.inputs.count)
        var cells: [Cell] = [
          .text(report.result.outputs[row]), .text(report.result.inputs[column]),
          .integer(report.result.members),
        ]
        cells += frequencies.map { .number($0[index]) }
        if let mean = report.agreement.meanRelevance { cells.append(.number(mean[row, column])) }
        if let truth { cells.append(.number(truth.relevance[row, column])) }
        table.rows.append((report.result.name, cells))
      }
    }
    return table
  }

  public var tables: [Table] {
    var agreement = Table(
      title: "Agreement of members",
      corner: "ensemble, selection",
      columns: ["members", "pairs", "Φ", "low", "high", "Jaccard"] + (hasData ? ["W"] : []))
    for report in reports {
      for (kind, selection) in report.selections {
        var cells = cells(selection)
        if hasData {
          let isLast = kind == report.selections.last?.kind
          cells.append(isLast ? report.result.concordance.map(Cell.number) ?? .missing : .missing)
        }
        agreement.rows.append(("\(report.result.name), \(kind)", cells))
      }
    }
    agreement.notes = notes
    let names = reports.map(\.result.name)
    agreement.notes += (differences ?? []).compactMap { Self.words($0, names) }
    var tables = [agreement] + reports.compactMap(\.evidenceTable)
    if let truth {
      tables.append(scoreTable(truth))
      tables += [verdictScoreTable].compactMap { $0 }
      tables += reports.compactMap { $0.verdictTable(allIn: options.allIn) }
    }
    if let last = differences?.last, !last.onlyFirst.isEmpty || !last.onlySecond.isEmpty {
      tables.append(differenceTable(last))
    }
    if let share = options.share { tables.append(boundTable(share)) }
    tables += reports.map(\.frequencyTable)
    if options.isPairwise {
      tables += reports.filter { $0.result.members > 1 }.map(\.pairwiseTable)
    }
    return tables
  }

  private static func words(_ difference: Difference, _ names: [String]) -> String? {
    guard let change = difference.stability else { return nil }
    var text =
      "Φ of \(names[1]) minus Φ of \(names[0]), \(difference.kind): \(String(format: "%+.3f", change))"
    if let interval = difference.interval {
      let isClear = interval[0] > 0 || interval[1] < 0
      text +=
        String(format: " (%.3f to %.3f, 95 %%, jackknife): ", interval[0], interval[1])
        + (isClear ? "they differ" : "no clear difference")
    }
    return text + "."
  }

  private func differenceTable(_ difference: Difference) -> Table {
    let (first, second) = (reports[0].result, reports[1].result)
    func row(_ pair: Pair, _ whose: String) -> (String, [Cell]) {
      (
        "\(pair.output), \(pair.input)",
        [
          .text(whose),
          .text("\(Int((pair.first * Double(first.members)).rounded())) of \(first.members)"),
          .text("\(Int((pair.second * Double(second.members)).rounded())) of \(second.members)"),
        ]
      )
    }
    return Table(
      title:
        "Pairs on which the two differ (\(difference.kind)); both have \(difference.both) in their consensus",
      corner: "rate of change, input", columns: ["only in", first.name, second.name],
      rows: difference.onlyFirst.map { row($0, first.name) }
        + difference.onlySecond.map { row($0, second.name) })
  }

  private func boundTable(_ share: Double) -> Table {
    Table(
      title:
        "Stability selection: pairs that at least \(Int((100 * share).rounded())) % of the members select",
      corner: "ensemble, selection", columns: ["pairs", "by chance at most"],
      rows: reports.flatMap { report in
        report.result.selections.map { selection in
          (
            "\(report.result.name), \(selection.kind)",
            [
              selection.selectedByShare.map(Cell.integer) ?? .missing,
              selection.expectedByChance.map(Cell.number) ?? .missing,
            ]
          )
        }
      },
      notes: [
        "By chance: q²/((2π − 1) d), q pairs being selected on average of d; its bound is on the expectation, "
          + "and says nothing where it is near the number of pairs. A higher \(options.thresholdName) makes q smaller."
      ])
  }

  private var notes: [String] {
    let all = reports.flatMap(\.selections)
    var notes = [
      "pairs: mean number selected of \(reports[0].agreement.pairCount); low, high: 95 % interval of Φ, "
        + (options.interval == .jackknife
          ? "jackknife over members." : "\(options.interval.rawValue).")
    ]
    if hasData {
      notes.append(
        "structural: connected by a path; relevant: also mean |J| above \(String(format: "%g", options.threshold)). W: how far the members "
          + "rank all pairs alike by mean |J| (Kendall).")
    }
    for report in reports {
      for selection in report.result.selections where !selection.membersApart.isEmpty {
        let members = selection.membersApart.map(String.init).joined(separator: ", ")
        notes.append(
          "\(report.result.name), \(selection.kind): stands apart from the others: member \(members) "
            + "(counted from 0).")
      }
    }
    if all.contains(where: { $0.selection.memberCount > 1 && $0.selection.stability == nil }) {
      notes.append("Φ is undefined where all members select every pair, or none.")
    }
    if all.contains(where: {
      $0.selection.stability != nil && !$0.selection.isUnanimous
        && options.interval.interval(of: $0.selection) == nil
    }) {
      notes.append("No interval where leaving out a member makes Φ undefined, or below 3 members.")
    }
    for (report, kind) in reports.flatMap({ report in report.selections.map { (report, $0) } })
    where kind.selection.memberCount > 1 && kind.selection.isUnanimous {
      let isEmpty = kind.selection.chosen.allSatisfy { !$0.contains(true) }
      notes.append(
        isEmpty
          ? "\(report.result.name), \(kind.kind): empty; no member selects a pair, which is no agreement."
          : "\(report.result.name), \(kind.kind): all members agree.")
    }
    for report in reports where report.evidence != nil {
      notes.append(
        "\(report.result.name): its members decided together which inputs act, and agree by that; Φ of what each "
          + "finds alone is "
          + (report.result.stabilityAlone.map { String(format: "%.3f", $0) } ?? "undefined") + ".")
    }
    return notes
  }

  private func cells(_ selection: Selection) -> [Cell] {
    let sizes = selection.chosen.map { Double($0.count { $0 }) }
    let interval = options.interval.interval(of: selection)
    let isCertain = selection.isUnanimous
    return [
      .integer(selection.memberCount), .number(sizes.mean),
      selection.stability.map(Cell.number)
        ?? (selection.memberCount > 1 ? .text("undefined") : .missing),
      isCertain ? .missing : interval.map { .number($0.lowerBound) } ?? .missing,
      isCertain ? .missing : interval.map { .number($0.upperBound) } ?? .missing,
      selection.meanJaccard.map(Cell.number) ?? .missing,
    ]
  }

  private func scoreTable(_ truth: PlantTruth) -> Table {
    let plantResult = PlantResult(truth, name: options.plant)
    var table = Table(
      title: "Consensus against the plant \(plantResult.name): \(plantResult.realPairs) pairs are "
        + "real, \(plantResult.uncertainPairs) too weak to count",
      corner: "ensemble, selection",
      columns: [
        "found", "missed", "spurious", "weak found", "precision", "recall", "F1", "AP", "ρ",
        "J error",
      ])
    for report in reports {
      for (kind, score) in report.agreement.scores {
        // What follows is of the relevances, not of a selection.
        let isLast = kind == report.agreement.scores.last?.kind
        func cell(_ value: Double?) -> Cell {
          isLast ? value.map(Cell.number) ?? .missing : .missing
        }
        table.rows.append(
          (
            "\(report.result.name), \(kind)",
            [
              .integer(score.found), .integer(score.missed), .integer(score.spurious),
              .integer(score.uncertainSelected), score.precision.map(Cell.number) ?? .missing,
              score.recall.map(Cell.number) ?? .missing, score.f1.map(Cell.number) ?? .missing,
              cell(report.result.averagePrecision), cell(report.result.rankCorrelation),
              cell(report.agreement.jacobianError),
            ]
          ))
      }
    }
    table.notes = reports.compactMap { report in
      report.agreement.curve?.best.map {
        String(
          format: "%@: the threshold that would select best is %.3g (F1 %.3f).", report.result.name,
          $0.threshold, $0.f1)
      }
    }
    table.notes += [
      "AP: average precision over all thresholds of relevance; ρ: Spearman's rank correlation of the "
        + "members' mean relevance with the plant's, over all pairs.",
      "J error: median over the real pairs of the relative error of mean |J|, mean of the members.",
      "\(truth.samples) samples; \(truth.samplesLeftOut) outside the plant's domain were left out.",
    ]
    return table
  }
}
