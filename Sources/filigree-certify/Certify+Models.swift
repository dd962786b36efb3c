import Certificates
import CommandSupport
import Dynamics
import Findings
import Interchange
import LinearAlgebra
import Networks
import Reporting

/// Two models beside each other.
extension Certify {
  func other(_ path: String, _ ensemble: Ensemble) throws -> Ensemble {
    let other = try Ensemble.load(path, cut: cut.cut, told: reading.description)
    try ensemble.checkComparable(with: other)
    for one in [ensemble, other] where one.members.count != 1 {
      throw ValidationError(
        "--against compares two models, and \(one.name) has \(one.members.count) members: name a member's file."
      )
    }
    guard ensemble.members[0].predicts == other.members[0].predicts else {
      throw DataMismatch(
        "\(ensemble.name) predicts \(ensemble.members[0].wordForOutputs) and \(other.name) "
          + "\(other.members[0].wordForOutputs), so their outputs cannot be compared")
    }
    return other
  }

  func compare(_ ensemble: Ensemble, _ other: Ensemble, _ made: BoxOptions.Made)
    async throws
  {
    let progress = ProgressLine(
      total: ensemble.outputs.count, unit: "bounds", quiet: run.quiet)
    let certificate = try await DifferenceCertificate(
      ensemble.members[0], other.members[0], in: made.box, samples: made.samples,
      options: options, threads: run.threads
    ) { progress.advance() }
    progress.finish()
    let isAlike = ensemble.name == other.name
    let report = DifferenceReport(
      certificate,
      names: isAlike ? (models, against ?? "") : (ensemble.name, other.name), within: within,
      place: made.words, share: made.share)
    try printResult(report.tables, json: report.result, format: format.format)
  }
}
