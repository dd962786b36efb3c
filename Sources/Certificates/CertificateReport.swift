import Dynamics
import Findings
import LinearAlgebra
import Networks
import Reporting
import Structure

/// Certificates of an ensemble as tables and for programs.
public struct CertificateReport {
  public struct Result: Encodable {
    var version = 1
    var about = FoundLimits.about
    var box: [BoxSide]
    /// Share of the samples inside, where there were any.
    var share: Double?
    var units: String
    var members: Int
    var tolerance: Double
    var leastTolerance: Double
    /// As asked for; missing for the usual number.
    var boxesAtMost: Int?
    var pairs: [FoundPair]
    var outputs: [FoundOutput]
    /// R² of each output on trajectories that were held out in training, where the ensemble says so.
    var explained: [Double?]?
  }

  public let result: Result
  public let tables: [Table]
  /// One row per pair, for programs.
  public let pairsTable: Table
  /// What is to be said beside it.
  public let remarks: [Remark]

  /// - Parameters:
  ///   - certificate: of an ensemble.
  ///   - units: of slopes; ranges of outputs are always in physical units.
  ///   - place: the box in words.
  ///   - share: of the samples inside the box, where there were any.
  public init(
    _ certificate: EnsembleCertificate, units: JacobianUnits, place: String, share: Double?
  ) {
    let style = CertificateStyle(certificate.ensemble, units: units)
    let ensemble = certificate.ensemble
    let found = certificate.pairs
    let pairs = found.map { style.pair($0) }
    let outputs = style.outputs(certificate.members)
    result = Result(
      box: BoxSide.sides(of: certificate.box, ensemble.inputs), share: share,
      units: units.rawValue, members: ensemble.members.count,
      tolerance: certificate.options.tolerance,
      leastTolerance: certificate.options.leastTolerance,
      boxesAtMost: certificate.options.boxes, pairs: pairs, outputs: outputs,
      explained: ensemble.explained?.shares)
    var signs = style.signs(found, place: place)
    signs.notes += [Self.summary(found), FoundLimits.about]
    tables =
      [signs, style.list(found, pairs, place: place)]
      + (outputs.isEmpty ? [] : [style.ranges(certificate.members, place: place)])
      + [BoxSide.table(certificate.box, ensemble.inputs, place: place)]
    pairsTable = style.csv(found, pairs)
    remarks = Self.remarks(certificate)
  }

  /// What was proved, in numbers.
  static func summary(_ pairs: [EnsemblePair]) -> String {
    let none = pairs.count { $0.claim == .none }
    let oneSign = pairs.count { $0.verdict == .proved } - none
    let refuted = pairs.count { $0.verdict == .refuted }
    let open = pairs.count { $0.verdict == .open }
    return
      "Of \(counted(pairs.count, "pair")) \(none) without a path (proved for any state), \(oneSign) of one sign "
      + "(proved), \(refuted) of both signs (points in JSON), \(open) open."
  }

  private static func remarks(_ certificate: EnsembleCertificate) -> [Remark] {
    let slopes = certificate.pairs.flatMap(\.members).compactMap(\.slope)
    let ranges = certificate.members.flatMap(\.outputs).flatMap { [$0.range, $0.gradientSize] }
    let loose = (slopes + ranges).count { !$0.isTight }
    guard loose > 0 else { return [] }
    let many =
      certificate.box.isBounded ? "" : "; a box without end cannot be divided into small ones"
    return [
      .note(
        "note: \(loose) of \(counted(slopes.count + ranges.count, "quantity")) have bounds farther from the values "
          + "found than the tolerance\(many); more boxes, or a smaller box, bring them closer")
    ]
  }
}
