import Dynamics
import Networks

/// Formulas of all outputs as a function of another language. Outputs without an accepted formula are not a number:
/// no formula takes the networks' place unsaid.
public enum FormulaProgram {
  /// - Parameters:
  ///   - formulas: of all outputs.
  ///   - ensemble: that they are of.
  ///   - notation: `c`, `python` or `sympy`.
  public static func source(
    _ formulas: [OutputFormula], of ensemble: Ensemble, in notation: FormulaNotation
  ) -> String {
    let inputs = notation.names(of: ensemble.inputs)
    let lines = formulas.map { found -> String in
      found.isAccepted ? notation.written(found.stated, names: inputs) : ""
    }
    let list = zip(ensemble.inputs.indices, ensemble.inputs).map { "\($0): \(comment($1.label))" }
    let labels = ensemble.outputs.indices.map { index in
      comment("\(ensemble.members[0].label(ofOutput: index)) [\(ensemble.outputs[index].unit)]")
    }
    switch notation {
    case .c: return c(ensemble, inputs, lines, list, labels)
    case .python: return python(ensemble, inputs, lines, list, labels)
    default: return sympy(ensemble, inputs, lines, labels)
    }
  }

  /// Text that ends no comment and no line.
  private static func comment(_ text: String) -> String {
    String(
      text.replacing("*/", with: "* /").replacing("\\", with: "/").map { $0.isNewline ? " " : $0 })
  }

  private static func c(
    _ ensemble: Ensemble, _ inputs: [String], _ lines: [String], _ list: [String],
    _ labels: [String]
  ) -> String {
    var text = "#include <math.h>\n\n/* Formulas of \(comment(ensemble.name)). Inputs:\n"
    text += list.map { "     \($0)\n" }.joined() + "*/\n"
    text += "void rates(const double inputs[\(inputs.count)], double rates[\(lines.count)]) {\n"
    for (index, name) in inputs.enumerated() {
      text += "  const double \(name) = inputs[\(index)];\n"
    }
    text += inputs.map { "  (void)\($0);\n" }.joined()
    for (index, line) in lines.enumerated() {
      let value = line.isEmpty ? "NAN" : line
      let remark = labels[index] + (line.isEmpty ? ": no formula as good as the networks" : "")
      text += "  /* \(remark) */\n  rates[\(index)] = \(value);\n"
    }
    return text + "}\n"
  }

  private static func python(
    _ ensemble: Ensemble, _ inputs: [String], _ lines: [String], _ list: [String],
    _ labels: [String]
  ) -> String {
    var text = "from math import copysign, cos, exp, fabs, nan, sin, sqrt\n\n\n"
    text += "# Formulas of \(comment(ensemble.name)). Inputs:\n"
    text += list.map { "#   \($0)\n" }.joined()
    text += "def rates(inputs):\n    (\(inputs.joined(separator: ", ")),) = inputs\n    return [\n"
    for (index, line) in lines.enumerated() {
      let remark = labels[index] + (line.isEmpty ? ": no formula as good as the networks" : "")
      text += "        # \(remark)\n        \(line.isEmpty ? "nan" : line),\n"
    }
    return text + "    ]\n"
  }

  private static func sympy(
    _ ensemble: Ensemble, _ inputs: [String], _ lines: [String], _ labels: [String]
  ) -> String {
    zip(labels, lines).map { label, line in
      "# \(label)" + (line.isEmpty ? ": no formula as good as the networks\nnan\n" : "\n\(line)\n")
    }.joined()
  }
}

/// Formulas for a document.
public enum FormulaDocument {
  /// An `align` environment of amsmath; formulas that are no laws are marked as approximations.
  ///
  /// - Parameters:
  ///   - formulas: of all outputs.
  ///   - ensemble: that they are of.
  public static func latex(_ formulas: [OutputFormula], of ensemble: Ensemble) -> String {
    let inputs = FormulaNotation.latex.names(of: ensemble.inputs)
    let outputs = FormulaNotation.latex.names(of: ensemble.outputs)
    let isRate = ensemble.members[0].predicts == .rate
    let lines = formulas.map { found in
      let left = isRate ? "\\frac{d}{dt} \(outputs[found.output])" : outputs[found.output]
      let relation = found.isAccepted ? "=" : "\\approx"
      return
        "  \(left) &\(relation) \(FormulaNotation.latex.written(found.stated, names: inputs))"
    }
    return "\\begin{align}\n" + lines.joined(separator: " \\\\\n") + "\n\\end{align}\n"
  }
}
