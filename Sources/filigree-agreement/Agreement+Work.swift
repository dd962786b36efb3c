import CommandSupport
import Findings
import Interchange
import LinearAlgebra
import Networks
import Structure

extension Agreement {
  func compare() async throws {
    if let consensus {
      try refuseOverwriting(consensus, [data].compactMap { $0 }, models: ensembles)
      try WholeFile.checkWritable(consensus, force: force)
    }
    let loaded = try load()
    let data = try data.map { try tables.read($0, quiet: run.quiet) }
    var truth: PlantTruth?
    if let plant, let data {
      truth = try await variation.truth(
        plant, for: loaded[0], over: data, from: self.data ?? "", threads: run.threads)
    }
    var agreements: [EnsembleAgreement] = []
    var points: [Matrix?] = []
    for ensemble in loaded {
      points.append(try data.map { try ensemble.points(of: $0, from: self.data ?? "") })
      agreements.append(
        try await EnsembleAgreement(
          ensemble, over: points[points.count - 1], truth: truth, threshold: threshold,
          threads: run.threads))
    }
    for ensemble in loaded where ensemble.members.count == 1 {
      run.note("note: \(ensemble.name) has one member, so Φ and Jaccard are undefined")
    }
    if let consensus { try write(agreements[0], over: points[0], to: consensus) }
    let report = AgreementReport(agreements, truth: truth, options: reportOptions)
    try printResult(
      report.tables, json: report.result, format: format.format, csv: report.pairsTable)
  }

  private var reportOptions: AgreementReport.Options {
    var options = AgreementReport.Options()
    options.threshold = threshold
    options.interval = interval
    options.share = errorBound ? share ?? Self.usualShare : nil
    options.isPairwise = pairwise
    options.plant = plant ?? ""
    options.allIn = "--format json"
    options.thresholdName = "--threshold"
    return options
  }

  private func load() throws -> [Ensemble] {
    var loaded = try ensembles.map {
      try Ensemble.load($0, cut: cut.cut, told: reading.description)
    }
    if loaded.count == 2, loaded[0].name == loaded[1].name {
      for index in loaded.indices { loaded[index].name = ensembles[index] }
    }
    if let second = loaded.dropFirst().first {
      try loaded[0].checkComparable(with: second)
    }
    if errorBound { try checkHalves(loaded) }
    return loaded
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

  private func write(_ agreement: EnsembleAgreement, over points: Matrix?, to path: String) throws {
    let ensemble = agreement.ensemble
    let consensus = Consensus(ensemble, agreement.strictest)
    try WholeFile.write(try consensus.model.onnx(path: path), to: path, force: force)
    run.say(
      consensus.remarks(
        at: path, of: ensemble, over: points, remedy: "train with --towers per-output"))
  }
}
