import Certificates
import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting

extension Certify {
  var options: Certifier.Options {
    var options = Certifier.Options()
    options.tolerance = tolerance
    options.boxes = boxes
    options.deadline = timeLimit.map { ContinuousClock.now + .seconds($0) }
    return options
  }

  func answer() async throws {
    let ensemble = try Ensemble.load(models, cut: cut.cut, told: reading.description)
    let made = try place.made(for: ensemble, tables, quiet: run.quiet)
    if ensemble.members[0].scalesNothing {
      // To scale them by the data would round weights, of which then nothing is proved.
      run.note(
        "note: \(ensemble.name) scales neither its inputs nor its outputs; what is called standardised is in its own units"
      )
    }
    run.note(
      "box: \(made.words)"
        + (made.share.map { String(format: "; %.3g %% of the samples lie inside", 100 * $0) } ?? "")
    )
    sayWhatStands(ensemble, made)
    warnOfExtrapolation(ensemble, made.box)
    do {
      if let against {
        try await compare(ensemble, try other(against, ensemble), made)
      } else if explain.isEmpty {
        try await certify(ensemble, made)
      } else {
        try await explain(ensemble, made)
      }
    } catch let problem as NoBounds {
      throw DataMismatch("\(models): \(problem)")
    }
  }

  /// Impulses are zero between the usual quantiles: what is proved then is proved for none.
  private func sayWhatStands(_ ensemble: Ensemble, _ made: BoxOptions.Made) {
    guard let samples = made.samples else { return }
    let standing = ensemble.inputs.indices.filter { input in
      let side = made.box.sides[input]
      guard side.lowerBound == side.upperBound, place.where == nil else { return false }
      return samples.column(input).contains { $0 != side.lowerBound }
    }
    guard !standing.isEmpty else { return }
    let values = standing.map {
      "\(ensemble.inputs[$0].name) = \(Cell.number(made.box.sides[$0].lowerBound).short)"
    }
    run.note(
      "note: both quantiles coincide, so the box holds one value of \(values.joined(separator: ", ")); "
        + "--quantiles 0,1 holds all that occur, --where others")
  }

  /// What is proved of states that no data showed is proved of the model alone.
  private func warnOfExtrapolation(_ ensemble: Ensemble, _ box: InputBox) {
    guard let ranges = ensemble.members[0].inputRanges else { return }
    let beyond = ensemble.inputs.indices.filter { input in
      let width = ranges[input].upperBound - ranges[input].lowerBound
      return box.sides[input].lowerBound < ranges[input].lowerBound - 0.1 * width
        || box.sides[input].upperBound > ranges[input].upperBound + 0.1 * width
    }
    guard !beyond.isEmpty else { return }
    Console.warning(
      "the box reaches far beyond the training data of \(ensemble.name) "
        + "(\(beyond.map { ensemble.inputs[$0] }.listed)); what is proved there is proved of the model alone"
    )
  }

  private func certify(_ ensemble: Ensemble, _ made: BoxOptions.Made) async throws {
    let certificate = try await found(ensemble, made, only: nil)
    let report = CertificateReport(
      certificate, units: units, place: made.words, share: made.share)
    run.say(report.remarks)
    try printResult(
      report.tables, json: report.result, format: format.format, csv: report.pairsTable)
  }

  private func found(
    _ ensemble: Ensemble, _ made: BoxOptions.Made, only pairs: [(output: Int, input: Int)]?
  ) async throws -> EnsembleCertificate {
    let progress = ProgressLine(
      total: EnsembleCertificate.taskCount(ensemble, only: pairs), unit: "bounds",
      quiet: run.quiet)
    defer { progress.finish() }
    let start = ContinuousClock.now
    let certificate = try await EnsembleCertificate(
      ensemble, in: made.box, only: pairs, samples: made.samples, options: options,
      threads: run.threads
    ) { progress.advance() }
    progress.finish()
    let seconds = ProgressLine.seconds(ContinuousClock.now - start)
    run.note(
      "bounds of \(counted(ensemble.members.count, "member")) in \(String(format: "%.2f", seconds)) s"
        + (timeLimit.map { seconds >= $0 } ?? false
          ? ": the time was up before all were tight" : ""))
    return certificate
  }

  private func explain(_ ensemble: Ensemble, _ made: BoxOptions.Made) async throws {
    let (output, input) = try ensemble.pair(named: explain)
    let certificate = try await found(ensemble, made, only: [(output, input)])
    guard
      let report = PairCertificateReport(certificate, place: made.words, share: made.share)
    else { return }
    try printResult(report.tables, json: report.result, format: format.format)
  }
}
