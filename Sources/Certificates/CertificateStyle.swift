import Dynamics
import Findings
import LinearAlgebra
import Networks
import Reporting
import Structure

/// How certificates of an ensemble look: units, words, cells.
struct CertificateStyle {
  let ensemble: Ensemble
  let units: JacobianUnits
  /// Below this an effect is weak everywhere, standardised: the usual threshold of relevance.
  static let weak = 0.01

  init(_ ensemble: Ensemble, units: JacobianUnits) {
    self.ensemble = ensemble
    self.units = units
  }

  private var membersText: String {
    ensemble.members.count > 1 ? ", in all \(ensemble.members.count) members" : ""
  }

  // MARK: Numbers

  /// Bounds times a positive factor, plus a shift; outward.
  static func limits(
    _ bounds: Certifier.Bounds, times factor: Interval = Interval(1), plus shift: Double = 0
  ) -> FoundLimits {
    func moved(_ value: Double) -> Interval {
      let scaled = factor == Interval(1) ? Interval(value) : Interval(value) * factor
      return shift == 0 ? scaled : scaled + shift
    }
    func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
    return FoundLimits(
      lower: finite(moved(bounds.lower).lower), lowest: finite(moved(bounds.lowest.value).upper),
      highest: finite(moved(bounds.highest.value).lower), upper: finite(moved(bounds.upper).upper),
      tight: bounds.isTight, boxes: bounds.boxes, lowestAt: bounds.lowest.point,
      highestAt: bounds.highest.point)
  }

  /// What a standardised slope of a member is in the units asked for.
  func factor(_ member: Int, _ output: Int, _ input: Int) -> Interval {
    guard units == .physical else { return Interval(1) }
    let model = ensemble.members[member]
    return Interval(model.outputScaling.deviation[output])
      / Interval(model.inputScaling.deviation[input])
  }

  func pair(_ pair: EnsemblePair) -> FoundPair {
    let members = pair.members.enumerated().map { member, own in
      FoundPair.Member(
        claim: own.claim, verdict: own.verdict,
        slope: own.slope.map {
          Self.limits($0, times: factor(member, pair.output, pair.input))
        })
    }
    return FoundPair(
      output: ensemble.outputs[pair.output].name, input: ensemble.inputs[pair.input].name,
      claim: pair.claim, verdict: pair.verdict, slope: Self.hull(members.map(\.slope)),
      members: members)
  }

  /// Over all members; one without a path has slope zero.
  private static func hull(_ members: [FoundLimits?]) -> FoundLimits? {
    guard members.contains(where: { $0 != nil }) else { return nil }
    let all = members.map {
      $0 ?? FoundLimits(lower: 0, lowest: 0, highest: 0, upper: 0, tight: true, boxes: 0)
    }
    func least(_ part: (FoundLimits) -> Double?) -> Double? {
      all.reduce(.infinity as Double?) { best, own in
        best.flatMap { best in part(own).map { min(best, $0) } }
      }
    }
    func largest(_ part: (FoundLimits) -> Double?) -> Double? {
      all.reduce(-Double.infinity as Double?) { best, own in
        best.flatMap { best in part(own).map { max(best, $0) } }
      }
    }
    return FoundLimits(
      lower: least(\.lower), lowest: least(\.lowest), highest: largest(\.highest),
      upper: largest(\.upper), tight: all.allSatisfy(\.tight),
      boxes: all.reduce(0) { $0 + $1.boxes })
  }

  func outputs(_ members: [ModelCertificate]) -> [FoundOutput] {
    guard let first = members.first, !first.outputs.isEmpty else { return [] }
    return ensemble.outputs.indices.map { output in
      FoundOutput(
        output: ensemble.outputs[output].name,
        range: members.indices.map { range(members[$0].outputs[output].range, $0, output) },
        gradientSize: members.map { Self.limits($0.outputs[output].gradientSize) })
    }
  }

  private func range(_ bounds: Certifier.Bounds, _ member: Int, _ output: Int) -> FoundLimits {
    let scaling = ensemble.members[member].outputScaling
    return Self.limits(
      bounds, times: Interval(scaling.deviation[output]), plus: scaling.mean[output])
  }

  // MARK: Tables

  static func cell(_ value: Double?) -> Cell { value.map(Cell.number) ?? .text("∞") }

  static func cells(_ limits: FoundLimits) -> [Cell] {
    [
      limits.lower.map(Cell.number) ?? .text("-∞"), cell(limits.lowest), cell(limits.highest),
      cell(limits.upper),
    ]
  }

  static let columns = ["lower", "lowest", "highest", "upper"]
  static let legend =
    "lower, upper: proved bounds, never exceeded within the box; lowest, highest: values reached inside it."

  /// Outputs × inputs: which way each effect goes.
  func signs(_ pairs: [EnsemblePair], place: String) -> Table {
    let outputs = ensemble.outputs.indices.filter { output in
      pairs.contains { $0.output == output }
    }
    let inputs = ensemble.inputs.indices.filter { input in pairs.contains { $0.input == input } }
    let explained = ensemble.explained
    var table = Table(
      title:
        "What more of an input does to each of the \(ensemble.members[0].wordForOutputs), at every point of the "
        + "box\(membersText)",
      columns: (explained == nil ? [] : ["R²"]) + inputs.map { ensemble.inputs[$0].name },
      rows: outputs.map { output in
        let cells = inputs.map { input in
          pairs.first { $0.output == output && $0.input == input }.map(sign) ?? .missing
        }
        let isNothing = explained?.isNothing(output) ?? false
        return (
          ensemble.outputs[output].name + (isNothing ? ", nothing explained" : ""),
          (explained.map { [shareCell($0, output)] } ?? [])
            + cells.map { $0 == .trueZero && isNothing ? .text("–") : $0 }
        )
      },
      notes: [
        "+ only raises it, - only lowers it, · no path: proved. (+), (-): so, and by less than "
          + "\(Self.weak) deviations per deviation everywhere. ±: does both, at points inside. ?: open."
      ])
    if let explained { table.notes.append(explained.legend) }
    return table
  }

  private func shareCell(_ explained: ExplainedShares, _ output: Int) -> Cell {
    explained.shares[output].map { .text(ExplainedShares.words($0)) } ?? .missing
  }

  private func sign(_ pair: EnsemblePair) -> Cell {
    guard pair.claim != .none else { return .trueZero }
    guard pair.verdict == .proved else { return .text(pair.verdict == .refuted ? "±" : "?") }
    let mark = pair.claim == .rises ? "+" : "-"
    // The threshold is one of deviations.
    let isWeak =
      !ensemble.members[0].scalesNothing && pair.members.allSatisfy { $0.isBelow(Self.weak) }
    return .text(isWeak ? "(\(mark))" : mark)
  }

  /// The pairs that are connected, one a row.
  func list(_ pairs: [EnsemblePair], _ found: [FoundPair], place: String) -> Table {
    let unit =
      units == .physical ? ", in physical units (output per unit of input)" : ", standardised"
    var table = Table(
      title: "Slopes of the \(ensemble.members[0].wordForOutputs)\(unit)\(membersText)",
      corner: "input → output", columns: ["claim", "verdict"] + Self.columns,
      rows: zip(pairs, found).compactMap { pair, limits in
        limits.slope.map { slope in
          (
            label(pair),
            [.text(words(pair.claim)), .text(pair.verdict.rawValue)] + Self.cells(slope)
          )
        }
      }, notes: [Self.legend])
    table.hasThreeDigits = units == .physical
    return table
  }

  func label(_ pair: EnsemblePair) -> String {
    "\(ensemble.inputs[pair.input].name) → \(ensemble.members[0].label(ofOutput: pair.output))"
  }

  func words(_ claim: EffectClaim) -> String { claim == .oneSign ? "one sign" : claim.rawValue }

  /// Outputs in physical units, and how far they move at most.
  func ranges(_ members: [ModelCertificate], place: String) -> Table {
    var table = Table(
      title: "Range of the \(ensemble.members[0].wordForOutputs) in the box"
        + membersText,
      corner: "output", columns: Self.columns + ["Σ|J| found", "Σ|J| at most"],
      rows: outputs(members).enumerated().map { output, found in
        let range = Self.hull(found.range.map { $0 })
        let size = Self.hull(found.gradientSize.map { $0 })
        let first = ensemble.members[0]
        let unit = ensemble.outputs[output].unit
        return (
          first.label(ofOutput: output) + (unit.isEmpty ? "" : " [\(unit)]"),
          (range.map(Self.cells) ?? []) + [Self.cell(size?.highest), Self.cell(size?.upper)]
        )
      },
      notes: [
        "Σ|J|: how many deviations the output moves at most where every input moves by one (Lipschitz constant)."
      ])
    table.hasThreeDigits = true
    return table
  }

  /// One row per pair for programs.
  func csv(_ pairs: [EnsemblePair], _ found: [FoundPair]) -> Table {
    Table(
      title: "", corner: "output",
      columns: [
        "input", "claim", "verdict", "lower", "lowest", "highest", "upper", "tight", "boxes",
      ],
      rows: found.map { pair in
        func number(_ value: Double?) -> Cell {
          pair.slope == nil ? .trueZero : value.map(Cell.number) ?? .missing
        }
        let slope = pair.slope
        return (
          pair.output,
          [
            .text(pair.input), .text(pair.claim.rawValue), .text(pair.verdict.rawValue),
            number(slope?.lower), number(slope?.lowest), number(slope?.highest),
            number(slope?.upper), .text(slope?.tight ?? true ? "yes" : "no"),
            .integer(slope?.boxes ?? 0),
          ]
        )
      })
  }
}
