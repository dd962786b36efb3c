import CommandSupport
import Dynamics
import Foundation
import Interpretation
import LinearAlgebra
import Networks

@main
struct Agreement: Tool {
  static let configuration = CommandConfiguration(
    commandName: "filigree-agreement",
    abstract:
      "How far the members of ensembles agree in structure, with each other and with a plant.",
    discussion: """
      A member selects a pair of input and output if a path connects them (structural) and, with \
      --data, if also its mean |J| over the data exceeds --threshold in standardised units \
      (relevant). Φ (Nogueira, Sechidis & Brown 2018) is 1 where all members select the same pairs \
      and about 0 for choices at random; its interval is the jackknife's over members. With --plant \
      the consensus, what more than half of the members select, is scored against the plant's own \
      one-step map.

      EXAMPLES
        filigree-agreement models/sparse
        filigree-agreement models/dense models/sparse --data test.nc
        filigree-agreement models/sparse --plant electrolysis --data test.nc --format json
      """,
    version: filigreeVersion)

  @Argument(help: "One or two ensembles (folders), or single models.", completion: .directory)
  var ensembles: [String]

  @Option(help: "Trajectories over which relevance is taken.", completion: .file())
  var data: String?

  @Option(
    help:
      "Score against this known plant (needs --data): \(PlantCatalogue.names.joined(separator: ", ")).",
    completion: .list(PlantCatalogue.names))
  var plant: String?

  @Option(parsing: .unconditional, help: "Relevance above which a connected pair is selected.")
  var threshold = 0.01

  @Option(
    help: """
      How the 95 % interval of Φ is found: jackknife over members (holds its level from four members on), \
      bootstrap or asymptotic (both too short for few members).
      """)
  var interval = IntervalMethod.jackknife

  @Flag(help: "Also the Jaccard index of every two members.")
  var pairwise = false

  @OptionGroup var cut: CutOption
  @OptionGroup var variation: VariationOption
  @OptionGroup var controls: ControlsOption
  @OptionGroup var format: FormatOption
  @OptionGroup var run: RunOptions

  func validate() throws {
    guard (1...2).contains(ensembles.count) else {
      throw ValidationError("\(ensembles.count) ensembles were given; one or two can be compared.")
    }
    guard threshold.isFinite && threshold >= 0 else {
      throw ValidationError("--threshold \(threshold): must be zero or positive.")
    }
    guard let plant else { return }
    _ = try variation.plant(plant)
    guard data != nil else {
      throw ValidationError(
        "--plant needs --data FILE: the plant's dependencies are graded by their strength on data.")
    }
  }

  mutating func work() async throws {
    var loaded = try ensembles.map { try Ensemble.load($0, cut: cut.cut) }
    if loaded.count == 2, loaded[0].name == loaded[1].name {
      for index in loaded.indices { loaded[index].name = ensembles[index] }
    }
    if let second = loaded.dropFirst().first {
      try checkComparable(loaded[0], second)
    }
    let data = try data.map { try controls.read($0) }
    let truth = try await readTruth(data, loaded[0])
    var reports: [EnsembleReport] = []
    for ensemble in loaded {
      do {
        reports.append(
          try await EnsembleReport(
            ensemble, data: data, truth: truth, threshold: threshold, interval: interval,
            threads: run.threads))
      } catch let problem as DataProblem {
        throw DataMismatch("\(self.data ?? ""): \(problem)")
      }
    }
    for ensemble in loaded where ensemble.members.count == 1 {
      run.note("note: \(ensemble.name) has one member, so Φ and Jaccard are undefined")
    }
    let differences = reports.count == 2 ? Self.differences(reports[0], reports[1]) : nil
    try printResult(
      tables(reports, truth, differences),
      json: Result(
        ensembles: reports.map(\.result), differences: differences,
        plant: truth.map { PlantResult($0, name: plant ?? "") }, threshold: threshold),
      format: format.format)
  }

  private func checkComparable(_ first: Ensemble, _ second: Ensemble) throws {
    guard first.inputs.map(\.name) == second.inputs.map(\.name),
      first.outputs.map(\.name) == second.outputs.map(\.name)
    else {
      throw DataMismatch(
        "\(first.name) and \(second.name) have different variables, so their structures cannot be "
          + "compared: \(first.inputs.map(\.name).joined(separator: ", ")) and "
          + second.inputs.map(\.name).joined(separator: ", "))
    }
  }

  private func readTruth(_ data: Trajectories?, _ ensemble: Ensemble) async throws -> PlantTruth? {
    guard let data, let plant = try plant.map(variation.plant) else { return nil }
    let names = (plant.states + plant.controls).map(\.name)
    guard ensemble.inputs.map(\.name) == names,
      ensemble.outputs.map(\.name) == plant.states.map(\.name)
    else {
      throw DataMismatch(
        "\(ensemble.name) does not model the plant \(plant.name), which has the variables "
          + names.joined(separator: ", "))
    }
    do {
      return try await PlantTruth(plant, over: data, threads: run.threads)
    } catch let problem as DataProblem {
      throw DataMismatch("\(self.data ?? ""): \(problem)")
    }
  }

  // MARK: Results

  struct Result: Encodable {
    var ensembles: [EnsembleReport.Result]
    var differences: [Difference]?
    var plant: PlantResult?
    var threshold: Double
  }

  struct Difference: Encodable {
    var kind: String
    /// Second minus first.
    var stability: Double?
    var statistic: Double?
  }

  struct PlantResult: Encodable {
    var name: String
    var samples: Int
    var samplesOutsideDomain: Int
    var relevance: [[Double]]
    var realPairs: Int
    var uncertainPairs: Int

    init(_ truth: PlantTruth, name: String) {
      self.name = name
      samples = truth.samples
      samplesOutsideDomain = truth.samplesLeftOut
      relevance = (0..<truth.relevance.rows).map { Array(truth.relevance.row($0)) }
      var grades: [PlantTruth.Grade: Int] = [:]
      for row in 0..<truth.relevance.rows {
        for column in 0..<truth.relevance.columns {
          grades[truth.grade(row, column), default: 0] += 1
        }
      }
      realPairs = grades[.real, default: 0]
      uncertainPairs = grades[.uncertain, default: 0]
    }
  }

  private static func differences(_ a: EnsembleReport, _ b: EnsembleReport) -> [Difference] {
    zip(a.selections, b.selections).map { first, second in
      Difference(
        kind: first.kind,
        stability: second.selection.stability.flatMap { later in
          first.selection.stability.map { later - $0 }
        },
        statistic: Selection.difference(first.selection, second.selection))
    }
  }

  private func tables(
    _ reports: [EnsembleReport], _ truth: PlantTruth?, _ differences: [Difference]?
  ) -> [Table] {
    var agreement = Table(
      title: "Agreement of members",
      corner: "ensemble, selection",
      columns: ["members", "pairs", "Φ", "low", "high", "Jaccard"] + (data == nil ? [] : ["W"]))
    for report in reports {
      for (kind, selection) in report.selections {
        var cells = cells(selection)
        if data != nil {
          let isLast = kind == report.selections.last?.kind
          cells.append(isLast ? report.result.concordance.map(Cell.number) ?? .missing : .missing)
        }
        agreement.rows.append(("\(report.result.name), \(kind)", cells))
      }
    }
    agreement.notes = notes(reports)
    for difference in differences ?? [] {
      if let change = difference.stability {
        let statistic = difference.statistic.map {
          String(format: ", T = %.2f (normal for many members; with few it exaggerates)", $0)
        }
        agreement.notes.append(
          "Difference of Φ, \(difference.kind): \(String(format: "%+.3f", change))"
            + (statistic ?? "") + ".")
      }
    }
    var tables = [agreement]
    if let truth {
      tables.append(scoreTable(reports, truth))
      tables += reports.compactMap(\.verdictTable)
    }
    tables += reports.map(\.frequencyTable)
    if pairwise {
      tables += reports.filter { $0.result.members > 1 }.map(\.pairwiseTable)
    }
    return tables
  }

  private func notes(_ reports: [EnsembleReport]) -> [String] {
    let all = reports.flatMap(\.selections)
    var notes = [
      "pairs: mean number selected of \(reports[0].pairCount); low, high: 95 % interval of Φ, "
        + (interval == .jackknife ? "jackknife over members." : "\(interval.rawValue).")
    ]
    if data != nil {
      notes.append(
        "structural: connected by a path; relevant: also mean |J| above \(threshold). W: how far the members "
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
        && interval.interval(of: $0.selection) == nil
    }) {
      notes.append("No interval where leaving out a member makes Φ undefined, or below 3 members.")
    }
    for (report, kind) in reports.flatMap({ report in report.selections.map { (report, $0) } })
    where kind.selection.memberCount > 1 && kind.selection.isUnanimous {
      notes.append("\(report.result.name), \(kind.kind): all members agree.")
    }
    return notes
  }

  private func cells(_ selection: Selection) -> [Cell] {
    let sizes = selection.chosen.map { Double($0.count { $0 }) }
    let interval = interval.interval(of: selection)
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

  private func scoreTable(_ reports: [EnsembleReport], _ truth: PlantTruth) -> Table {
    let plantResult = PlantResult(truth, name: plant ?? "")
    var table = Table(
      title: "Consensus against the plant \(plantResult.name): \(plantResult.realPairs) pairs are "
        + "real, \(plantResult.uncertainPairs) too weak to count",
      corner: "ensemble, selection",
      columns: [
        "found", "missed", "spurious", "weak found", "precision", "recall", "F1", "AP", "ρ",
        "J error",
      ])
    for report in reports {
      for (kind, score) in report.scores {
        // What follows is of the relevances, not of a selection.
        let isLast = kind == report.scores.last?.kind
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
              cell(report.jacobianError),
            ]
          ))
      }
    }
    table.notes = reports.compactMap { report in
      report.curve?.best.map {
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
