import Dynamics
import Findings
import LinearAlgebra
import Networks
import Reporting
import Structure

/// Certificates of an ensemble as tables and for programs.
public struct CertificateReport {
  /// Bounds and the extreme values found, in the units asked for; what is infinite is left out.
  struct Limits: Encodable {
    var lower: Double?
    var lowest: Double?
    var highest: Double?
    var upper: Double?
    var tight: Bool
    var boxes: Int
    /// Points in physical units, in the order of the inputs.
    var lowestAt: [Double]?
    var highestAt: [Double]?
  }

  struct Pair: Encodable {
    struct Member: Encodable {
      var claim: EffectClaim
      var verdict: ProofVerdict
      var slope: Limits?
    }

    var output: String
    var input: String
    var claim: EffectClaim
    var verdict: ProofVerdict
    /// Over all members.
    var slope: Limits?
    var members: [Member]
  }

  struct Output: Encodable {
    var output: String
    /// Member by member, in physical units.
    var range: [Limits]
    /// Member by member, standardised: Σ |∂f/∂x|.
    var gradientSize: [Limits]
  }

  public struct Result: Encodable {
    var version = 1
    var about = CertificateReport.about
    var box: [BoxSide]
    /// Share of the samples inside, where there were any.
    var share: Double?
    var units: String
    var members: Int
    var tolerance: Double
    var leastTolerance: Double
    var boxesAtMost: Int
    var pairs: [Pair]
    var outputs: [Output]
    /// R² of each output on trajectories that were held out in training, where the ensemble says so.
    var explained: [Double?]?
  }

  /// What every bound speaks of.
  public static let about =
    "Bounds hold for the real function that the stored numbers define, computed with outward rounding; a runtime in "
    + "single precision differs from it by its own rounding."

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
    signs.notes += [Self.summary(found), Self.about]
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

/// One side of a box, for programs.
struct BoxSide: Encodable {
  var input: String
  var unit: String
  /// Nil where there is no limit.
  var low: Double?
  var high: Double?

  static func sides(of box: InputBox, _ inputs: [Variable]) -> [BoxSide] {
    zip(inputs, box.sides).map { input, side in
      BoxSide(
        input: input.name, unit: input.unit,
        low: side.lowerBound.isFinite ? side.lowerBound : nil,
        high: side.upperBound.isFinite ? side.upperBound : nil)
    }
  }

  static func table(_ box: InputBox, _ inputs: [Variable], place: String) -> Table {
    var table = Table(
      title: "The box: \(place)", corner: "input", columns: ["from", "to"],
      rows: zip(inputs, box.sides).map { input, side in
        (
          input.label,
          [side.lowerBound, side.upperBound].map {
            $0.isFinite ? .text(digits($0)) : .text("any")
          }
        )
      })
    table.hasThreeDigits = true
    return table
  }

  /// As few digits as a single-precision number needs.
  static func digits(_ value: Double) -> String {
    let text = "\(Float(value))"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
