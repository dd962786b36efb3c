import CommandSupport
import Dynamics
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Structure

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
        filigree-agreement models/sparse --data test.nc --consensus consensus.onnx
        filigree-agreement models/halves --data test.nc --error-bound
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

  @Option(
    help: ArgumentHelp(
      """
      Write what an ensemble agrees on as a model: the member that agrees most with the others, without the \
      pairs that no more than half of the members select.
      """, valueName: "file"), completion: .file(extensions: ["onnx"]))
  var consensus: String?

  @Flag(name: .shortAndLong, help: "Replace the file if it is there already.")
  var force = false

  static let usualShare = 0.9

  @Flag(
    help: """
      For ensembles of filigree-train --bootstrap: a bound on how many of the pairs that most members select are \
      there by chance (stability selection).
      """)
  var errorBound = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --error-bound: the share of members that must select a pair (default: 0.9).",
      valueName: "share"))
  var share: Double?

  @OptionGroup var cut: CutOption
  @OptionGroup var variation: VariationOption
  @OptionGroup var reading: ModelOptions
  @OptionGroup(title: "Tables") var tables: TableOptions
  @OptionGroup var format: FormatOption
  @OptionGroup var run: RunOptions

  func validate() throws {
    guard (1...2).contains(ensembles.count) else {
      throw ValidationError("\(ensembles.count) ensembles were given; one or two can be compared.")
    }
    guard threshold.isFinite && threshold >= 0 else {
      throw ValidationError("--threshold \(threshold): must be zero or positive.")
    }
    if let share {
      guard share > 0.5 && share <= 1 else {
        throw ValidationError("--share \(share): must be above 0.5 and at most 1.")
      }
      guard errorBound else { throw ValidationError("--share belongs to --error-bound.") }
    }
    if let consensus {
      guard ensembles.count == 1 else {
        throw ValidationError("--consensus is of one ensemble; \(ensembles.count) were given.")
      }
      guard consensus.lowercased().hasSuffix(".onnx") else {
        throw ValidationError("--consensus \(consensus): a model's name ends in .onnx.")
      }
    }
    guard let plant else { return }
    _ = try variation.plant(plant)
    guard data != nil else {
      throw ValidationError(
        "--plant needs --data FILE: the plant's dependencies are graded by their strength on data.")
    }
  }

  mutating func work() async throws {
    if let consensus {
      try refuseOverwriting(consensus, [data].compactMap { $0 }, models: ensembles)
      try WholeFile.checkWritable(consensus, force: force)
    }
    var loaded = try ensembles.map { try Ensemble.load($0, cut: cut.cut, told: reading.description) }
    if loaded.count == 2, loaded[0].name == loaded[1].name {
      for index in loaded.indices { loaded[index].name = ensembles[index] }
    }
    if let second = loaded.dropFirst().first {
      try loaded[0].checkComparable(with: second)
    }
    if errorBound { try checkHalves(loaded) }
    let data = try data.map { try tables.read($0, quiet: run.quiet) }
    var truth: PlantTruth?
    if let plant, let data {
      truth = try await variation.truth(
        plant, for: loaded[0], over: data, from: self.data ?? "", threads: run.threads)
    }
    var reports: [EnsembleReport] = []
    for ensemble in loaded {
      let points = try data.map { try ensemble.points(of: $0, from: self.data ?? "") }
      reports.append(
        try await EnsembleReport(
          ensemble, points: points, truth: truth, threshold: threshold, interval: interval,
          bound: errorBound ? share ?? Self.usualShare : nil, threads: run.threads))
    }
    for ensemble in loaded where ensemble.members.count == 1 {
      run.note("note: \(ensemble.name) has one member, so Φ and Jaccard are undefined")
    }
    if let consensus, let report = reports.first { try write(report, to: consensus) }
    let differences = reports.count == 2 ? Self.differences(reports[0], reports[1]) : nil
    try printResult(
      tables(reports, truth, differences),
      json: Result(
        ensembles: reports.map(\.result), differences: differences,
        plant: truth.map { PlantResult($0, name: plant ?? "") }, threshold: threshold),
      format: format.format, csv: pairsCSV(reports, truth))
  }

  private func checkHalves(_ ensembles: [Ensemble]) throws {
    for ensemble in ensembles where !ensemble.isOfHalves {
      guard ensemble.members.count > 1 else {
        throw DataMismatch("\(ensemble.name) has one member; --error-bound is for an ensemble")
      }
      guard !ensemble.isGuessed else {
        throw DataMismatch(
          "\(ensemble.name) has no ensemble.json that says what its members learnt from; the bound of "
            + "--error-bound holds for random halves of the data: filigree-train --bootstrap")
      }
      throw DataMismatch(
        "\(ensemble.name): all members learnt from the same trajectories and differ by their initial weights "
          + "only, so that what they agree on may be wrong in all of them alike; the bound of --error-bound "
          + "holds for members that learnt from random halves: filigree-train --bootstrap")
    }
  }

  private func write(_ report: EnsembleReport, to path: String) throws {
    let consensus = report.consensus
    let model = consensus.model
    func list(_ pairs: [(output: Int, input: Int)]) -> String {
      let names = pairs.map { "\(model.inputs[$0.input].name) → \(model.outputs[$0.output].name)" }
      return names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
    }
    try WholeFile.write(try model.onnx(path: path), to: path, force: force)
    var text =
      "\(path): member \(consensus.member)"
      + (report.result.members > 1 ? ", which agrees most with the others" : ", the only one")
    if !consensus.removed.isEmpty {
      text += ", without \(counted(consensus.removed.count, "pair")): \(list(consensus.removed))"
    }
    run.note(text)
    if let change = report.consensusChange(consensus), change.size > 0 {
      run.note(
        String(
          format:
            "over the data it changes the rates by at most %.2g deviations (root mean square, ",
          change.size)
          + "\(change.output)); nothing was fitted anew")
    }
    if !consensus.lacking.isEmpty {
      Console.warning(
        "member \(consensus.member) lacks \(counted(consensus.lacking.count, "pair")) of the consensus: "
          + list(consensus.lacking))
    }
    if !consensus.shared.isEmpty {
      Console.warning(
        "\(counted(consensus.shared.count, "pair")) outside the consensus stay, because the neurons that carry "
          + "them serve several outputs: \(list(consensus.shared)); train with --towers per-output")
    }
  }

  // MARK: Results

  struct Result: Encodable {
    var ensembles: [EnsembleReport.Result]
    var differences: [Difference]?
    var plant: PlantResult?
    var threshold: Double
  }

  /// Second ensemble minus first.
  struct Difference: Encodable {
    var kind: String
    var stability: Double?
    /// 95 %, by the jackknife over the members of both.
    var interval: [Double]?
    /// T of Nogueira, Sechidis & Brown, normal for many members; with few it exaggerates.
    var asymptoticStatistic: Double?
    /// Pairs in the consensus of both, of the first only, and of the second only.
    var both: Int
    var onlyFirst: [Pair]
    var onlySecond: [Pair]
  }

  struct Pair: Encodable {
    var output: String
    var input: String
    /// Shares of the members that select it.
    var first: Double
    var second: Double
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
      let found = Selection.jackknifeDifference(first.selection, second.selection)
      let (one, other) = (first.selection.consensus, second.selection.consensus)
      let (shares, otherShares) = (first.selection.frequency, second.selection.frequency)
      func pairs(_ isWanted: (Int) -> Bool) -> [Pair] {
        one.indices.filter(isWanted).map { index in
          Pair(
            output: a.result.outputs[index / a.result.inputs.count],
            input: a.result.inputs[index % a.result.inputs.count], first: shares[index],
            second: otherShares[index])
        }
      }
      return Difference(
        kind: first.kind,
        stability: second.selection.stability.flatMap { later in
          first.selection.stability.map { later - $0 }
        },
        interval: found.map { [$0.interval.lowerBound, $0.interval.upperBound] },
        asymptoticStatistic: Selection.difference(first.selection, second.selection),
        both: one.indices.count { one[$0] && other[$0] },
        onlyFirst: pairs { one[$0] && !other[$0] }, onlySecond: pairs { !one[$0] && other[$0] })
    }
  }
}
