import Dynamics
import Networks
import Reporting

/// Bounds and the extreme values found, in the units asked for; what is infinite is left out.
struct FoundLimits: Encodable {
  var lower: Double?
  var lowest: Double?
  var highest: Double?
  var upper: Double?
  var tight: Bool
  var boxes: Int
  /// Points in physical units, in the order of the inputs.
  var lowestAt: [Double]?
  var highestAt: [Double]?

  /// What every bound speaks of.
  static let about =
    "Bounds hold for the real function that the stored numbers define, computed with outward rounding; a runtime in "
    + "single precision differs from it by its own rounding."
}

/// One pair of output and input.
struct FoundPair: Encodable {
  struct Member: Encodable {
    var claim: EffectClaim
    var verdict: ProofVerdict
    var slope: FoundLimits?
  }

  var output: String
  var input: String
  var claim: EffectClaim
  var verdict: ProofVerdict
  /// Over all members.
  var slope: FoundLimits?
  var members: [Member]
}

/// One output.
struct FoundOutput: Encodable {
  var output: String
  /// Member by member, in physical units.
  var range: [FoundLimits]
  /// Member by member, standardised: Σ |∂f/∂x|.
  var gradientSize: [FoundLimits]
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
