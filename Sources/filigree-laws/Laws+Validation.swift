import CommandSupport
import Dynamics
import Findings
import Foundation
import GraphDrawing
import Interchange
import Laws
import LinearAlgebra
import Networks

extension LawsTool {
  /// What is told, in its order.
  var parts: [Part] {
    get throws {
      guard let show else { return Part.allCases }
      let found = try NameList.parse(show).map { name in
        guard let part = Part(rawValue: name.trimmingCharacters(in: .whitespaces)) else {
          throw ValidationError(
            "--show: there is no \"\(name)\"; there are "
              + Part.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        return part
      }
      guard !found.isEmpty else { throw ValidationError("--show: says nothing.") }
      return Part.allCases.filter(found.contains)
    }
  }

  /// The notation that the format asks for; nil for tables and values.
  var notation: FormulaNotation? { FormulaNotation(rawValue: format.rawValue) }

  func checkOptions() throws {
    guard (data == nil) != (at == nil) else {
      throw ValidationError("Give either --data FILE, or --at name=value,….")
    }
    guard factor.isFinite, factor >= 1 else {
      throw ValidationError("--factor \(factor): must be at least 1.")
    }
    guard threshold.isFinite, threshold >= 0 else {
      throw ValidationError("--threshold \(threshold): must be zero or positive.")
    }
    guard samples > 0 else { throw ValidationError("--samples \(samples): must be positive.") }
    guard output == nil || notation != nil else {
      throw ValidationError("--output goes with --format latex, sympy, c or python.")
    }
    guard show == nil || notation == nil, at == nil || notation == nil else {
      throw ValidationError(
        "--format \(format.rawValue) writes the formulas of --data; it does not go with --show or --at."
      )
    }
    guard at == nil || show == nil && plot == nil else {
      throw ValidationError("--show and --plot go with --data.")
    }
    if try plot != nil && (!parts.contains(.interactions) || notation != nil) {
      throw ValidationError("--plot draws the interactions, which are not asked for.")
    }
    if let plot, Renderer.Format(rawValue: WholeFile.ending(plot)) == nil {
      throw ValidationError("--plot \(plot): must end in .svg, .png or .pdf.")
    }
  }
}
