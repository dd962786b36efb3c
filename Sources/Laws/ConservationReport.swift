import Dynamics
import Foundation
import LinearAlgebra
import Networks
import Reporting

/// Laws of conservation as a table and values.
public struct ConservationReport: Sendable {
  public struct Result: Encodable, Sendable {
    struct Part: Encodable, Sendable {
      var variable: String
      var coefficient: FormulaReport.Result.Constant
    }
    public struct Law: Encodable, Sendable {
      /// In words.
      public var law: String
      var output: String
      var rates: [Part]
      var controls: [Part]
      var constant: FormulaReport.Result.Constant?
      var leftInNetworks: Double
      var leftInData: Double
      var isOfData: Bool
    }

    var tolerance: Double
    public var laws: [Law]
  }

  public let result: Result
  public let table: Table

  /// - Parameters:
  ///   - ensemble: of rates.
  ///   - conservation: what was found.
  public init(_ ensemble: Ensemble, _ conservation: Conservation) {
    func part(_ name: String, _ stated: StatedConstant) -> Result.Part {
      Result.Part(variable: name, coefficient: FormulaReport.Result.Constant(stated))
    }
    let laws = conservation.laws.map { law in
      Result.Law(
        law: Self.text(law, ensemble), output: ensemble.outputs[law.output].name,
        rates: law.rates.map { part(ensemble.outputs[$0.output].name, $0.coefficient) },
        controls: law.controls.map { part(ensemble.inputs[$0.input].name, $0.coefficient) },
        constant: law.constant.map(FormulaReport.Result.Constant.init),
        leftInNetworks: law.leftInNetworks, leftInData: law.leftInData, isOfData: law.isOfData)
    }
    result = Result(tolerance: Conservation.tolerance, laws: laws)
    var table = Table(
      title: "Combinations of rates that depend on inputs from outside alone, or on nothing",
      corner: "law", columns: ["left, networks", "left, data", "from"],
      rows: laws.map { law in
        (
          law.law,
          [
            .number(law.leftInNetworks), .number(law.leftInData),
            .text(law.isOfData ? "data" : "networks"),
          ]
        )
      })
    table.notes =
      laws.isEmpty
      ? ["None: no combination leaves less than a thousandth of a rate's variance."]
      : [
        "Left: what the two sides differ by on held-out rows, as a share of the variance of the largest rate. "
          + "From: whose coefficients these are, with which less is left."
      ]
    self.table = table
  }

  private static func text(_ law: Conservation.Law, _ ensemble: Ensemble) -> String {
    func sum(_ parts: [(name: String, value: StatedConstant)], _ first: String) -> String {
      var text = first
      for part in parts {
        let size = abs(part.value.value)
        let sign = part.value.value < 0 ? (text.isEmpty ? "−" : " − ") : (text.isEmpty ? "" : " + ")
        let number = FormulaNotation.text.number(size, digits: part.value.digits)
        let isOne = size == 1 && part.value.isSnapped && !first.isEmpty
        text += sign + (isOne ? "" : number + " ") + part.name
      }
      return text
    }
    let left = sum(
      law.rates.map { (ensemble.outputs[$0.output].name, $0.coefficient) },
      ensemble.outputs[law.output].name)
    var right = sum(law.controls.map { (ensemble.inputs[$0.input].name, $0.coefficient) }, "")
    if let constant = law.constant { right = sum([("", constant)], right) }
    let whole = law.rates.isEmpty ? "d/dt \(left)" : "d/dt (\(left))"
    return whole + " = " + (right.isEmpty ? "0" : right.trimmingCharacters(in: .whitespaces))
  }
}
