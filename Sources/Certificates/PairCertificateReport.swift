import Findings
import Foundation
import LinearAlgebra
import Networks
import Reporting

/// One pair of input and output in full: sentences, every member's bounds, and the points at which they are reached.
public struct PairCertificateReport {
  public let tables: [Table]
  public let result: CertificateReport.Result
  /// In words.
  public let sentences: [String]

  /// - Parameters:
  ///   - certificate: of an ensemble, of one pair.
  ///   - place: the box in words.
  ///   - share: of the samples inside the box, where there were any.
  public init?(_ certificate: EnsembleCertificate, place: String, share: Double?) {
    guard let pair = certificate.pairs.first else { return nil }
    let style = CertificateStyle(certificate.ensemble, units: .physical)
    let found = style.pair(pair)
    let ensemble = certificate.ensemble
    result = CertificateReport(certificate, units: .physical, place: place, share: share).result
    sentences = Self.sentences(pair, found, ensemble, place: place)
    var bounds = Table(
      title: "\(ensemble.name): \(style.label(pair)), slope in \(Self.unit(pair, ensemble))",
      corner: "member",
      columns: ["claim", "verdict"] + CertificateStyle.columns,
      rows: found.members.enumerated().map { number, member in
        (
          String(number),
          [.text(style.words(member.claim)), .text(member.verdict.rawValue)]
            + (member.slope.map(CertificateStyle.cells)
              ?? Array(repeating: .trueZero, count: 4))
        )
      },
      notes: sentences + [CertificateStyle.legend, FoundLimits.about])
    bounds.hasThreeDigits = true
    tables =
      [bounds] + Self.points(pair, found, ensemble)
      + [BoxSide.table(certificate.box, ensemble.inputs, place: place)]
  }

  private static func unit(_ pair: EnsemblePair, _ ensemble: Ensemble) -> String {
    let (output, input) = (ensemble.outputs[pair.output].unit, ensemble.inputs[pair.input].unit)
    return (output.isEmpty ? "1" : output) + (input.isEmpty ? "" : " per \(input)")
  }

  /// Where the extreme slopes found are, of the member that has them.
  private static func points(
    _ pair: EnsemblePair, _ found: FoundPair, _ ensemble: Ensemble
  ) -> [Table] {
    let slopes = found.members.compactMap(\.slope)
    guard let least = slopes.min(by: { ($0.lowest ?? 0) < ($1.lowest ?? 0) }),
      let most = slopes.max(by: { ($0.highest ?? 0) < ($1.highest ?? 0) }),
      let low = least.lowestAt, let high = most.highestAt
    else { return [] }
    return [
      Table(
        title: "Where the slope is lowest and highest, of the points found", corner: "input",
        columns: ["lowest", "highest"],
        rows: ensemble.inputs.enumerated().map { number, input in
          (input.label, [low, high].map { .text(BoxSide.digits($0[number])) })
        })
    ]
  }

  private static func sentences(
    _ pair: EnsemblePair, _ found: FoundPair, _ ensemble: Ensemble, place: String
  ) -> [String] {
    let name = ensemble.members[0].label(ofOutput: pair.output)
    let input = ensemble.inputs[pair.input].name
    guard let slope = found.slope else {
      return [
        "No path leads from \(input) to \(name) in any member: it cannot respond, whatever the state (proved)."
      ]
    }
    let all = ensemble.members.count
    let members = all > 1 ? " in all \(all) members" : ""
    func number(_ value: Double?) -> String {
      value.map { String(format: "%.3g", $0) } ?? "anything"
    }
    let unit = unit(pair, ensemble)
    let span = "between \(number(slope.lower)) and \(number(slope.upper)) \(unit)"
    let reached = "\(number(slope.lowest)) and \(number(slope.highest)) are reached"
    switch (pair.verdict, pair.claim) {
    case (.proved, let claim):
      let isStrict = claim == .rises ? (slope.lower ?? 0) > 0 : (slope.upper ?? 0) < 0
      let verb =
        claim == .rises
        ? (isStrict ? "always raises" : "never lowers")
        : (isStrict ? "always lowers" : "never raises")
      return [
        "More \(input) \(verb) \(name) within this box (proved\(members)): the slope is \(span); \(reached)."
      ]
    case (.refuted, _):
      return [
        "\(input) does not act on \(name) one way throughout this box (refuted): the slope is \(number(slope.lowest)) "
          + "at one point and \(number(slope.highest)) \(unit) at another; it is \(span) everywhere\(members)."
      ]
    case (.open, _):
      return [
        "Whether \(input) acts on \(name) one way throughout this box is open: the slope is \(span); \(reached)."
      ]
    }
  }
}

/// The largest difference of two models as tables and for programs.
public struct DifferenceReport {
  struct Output: Encodable {
    var output: String
    var unit: String
    /// First minus second in physical units.
    var difference: FoundLimits
    /// The largest magnitude in deviations of the first model's output: reached, and not exceeded.
    var reached: Double
    var atMost: Double?
    var verdict: ProofVerdict?
  }

  public struct Result: Encodable {
    var version = 1
    var about = FoundLimits.about
    var box: [BoxSide]
    var share: Double?
    var first: String
    var second: String
    /// In deviations of the first model's output.
    var within: Double?
    var outputs: [Output]
  }

  public let result: Result
  public let tables: [Table]

  /// - Parameters:
  ///   - certificate: of two models.
  ///   - names: of these.
  ///   - limit: that the difference is claimed not to exceed, in deviations of the first model's output; nil for no
  ///     claim.
  ///   - place: the box in words.
  ///   - share: of the samples inside the box, where there were any.
  public init(
    _ certificate: DifferenceCertificate, names: (first: String, second: String),
    within limit: Double?, place: String, share: Double?
  ) {
    let model = certificate.first
    let outputs = certificate.outputs.enumerated().map { index, bounds in
      let reached = max(0, max(-bounds.lowest.value, bounds.highest.value))
      let limits = CertificateStyle.limits(
        bounds, times: Interval(model.outputScaling.deviation[index]))
      return Output(
        output: model.outputs[index].name, unit: model.outputs[index].unit, difference: limits,
        reached: reached,
        atMost: bounds.magnitude.isFinite ? bounds.magnitude : nil,
        verdict: limit.map {
          bounds.magnitude <= $0 ? .proved : reached > $0 ? .refuted : .open
        })
    }
    result = Result(
      box: BoxSide.sides(of: certificate.box, model.inputs), share: share, first: names.first,
      second: names.second, within: limit, outputs: outputs)
    var table = Table(
      title: "\(names.first) minus \(names.second): \(model.wordForOutputs) in physical units",
      corner: "output",
      columns: CertificateStyle.columns + ["|Δ|/σ found", "|Δ|/σ at most"]
        + (limit == nil ? [] : ["verdict"]),
      rows: outputs.enumerated().map { index, output in
        (
          model.label(ofOutput: index) + (output.unit.isEmpty ? "" : " [\(output.unit)]"),
          CertificateStyle.cells(output.difference)
            + [.number(output.reached), CertificateStyle.cell(output.atMost)]
            + (output.verdict.map { [.text($0.rawValue)] } ?? [])
        )
      },
      notes: [
        CertificateStyle.legend
          + " |Δ|/σ: the largest difference, in standard deviations of the first model's output."
      ])
    if let limit { table.notes.append("Claim: they differ by at most \(limit) deviations.") }
    table.notes.append(FoundLimits.about)
    table.hasThreeDigits = true
    tables = [table, BoxSide.table(certificate.box, model.inputs, place: place)]
  }
}
