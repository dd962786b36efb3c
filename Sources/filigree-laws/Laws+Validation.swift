import CommandSupport
import Dynamics
import Findings
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
        guard let part = Part(rawValue: name.trimmingSpaces) else {
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

  /// - Throws: `ValidationError` for what is not name=value or names no input.
  func parsePoint(_ text: String, _ model: Model) throws -> [Double] {
    var values = model.inputScaling.mean
    var named = Set<String>()
    for item in NameList.parse(text) {
      guard let equals = item.lastIndex(of: "="),
        let value = Double(item[item.index(after: equals)...]), value.isFinite
      else { throw ValidationError("--at: \"\(item)\" is not of the form name=number.") }
      let name = String(item[..<equals])
      guard let index = model.inputs.firstIndex(where: { $0.name == name }) else {
        throw ValidationError(
          "--at: the model has no input \"\(name)\"; it has " + model.inputs.listed + ".")
      }
      guard named.insert(name).inserted else {
        throw ValidationError("--at: \"\(name)\" is given twice.")
      }
      values[index] = value
    }
    if model.outside(Matrix([values]))?.share ?? 0 > 0 {
      Console.warning(
        "the point lies far outside the training data; what the model says there is extrapolation")
    }
    return values
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
