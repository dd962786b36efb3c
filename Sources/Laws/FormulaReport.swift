import Dynamics
import LinearAlgebra
import Networks
import Reporting

/// Formulas of rates as tables and values.
public struct FormulaReport: Sendable {
  public struct Result: Encodable, Sendable {
    struct Constant: Encodable, Sendable {
      var value: Double
      var fitted: Double
      var low: Double?
      var high: Double?
      var isSnapped: Bool

      init(_ stated: StatedConstant) {
        value = stated.value
        fitted = stated.fitted
        low = stated.interval?.lowerBound
        high = stated.interval?.upperBound
        isSnapped = stated.isSnapped
      }
    }
    struct Term: Encodable, Sendable {
      /// Where exponentials are exp(E/reference − E/T), so that the coefficient says how large the term is.
      var coefficient: Constant
      var term: String
      var parameters: [Constant]
      var references: [Double]
    }
    struct Step: Encodable, Sendable {
      var complexity: Int
      var error: Double?
      var distance: Double
      var formula: String
    }
    struct Output: Encodable, Sendable {
      var output: String
      var unit: String
      var formula: String
      var sympy: String
      var isAccepted: Bool
      var error: Double?
      var distance: Double
      var networkError: Double?
      var spread: Double
      var constant: Constant?
      var terms: [Term]
      var pareto: [Step]
      var worst: FormulaWeakness?
    }

    var factor: Double
    var fittedRows: Int
    var heldRows: Int
    var outputs: [Output]
  }

  public let result: Result
  public let tables: [Table]
  /// For programs: one row per output.
  public let table: Table

  /// - Parameters:
  ///   - ensemble: of models.
  ///   - formulas: of its outputs.
  ///   - factor: by which formulas were accepted.
  public init(_ ensemble: Ensemble, _ formulas: Formulas, factor: Double) {
    let names = FormulaNotation.text.names(of: ensemble.inputs)
    let plain = FormulaNotation.sympy.names(of: ensemble.inputs)
    result = Result(
      factor: factor, fittedRows: formulas.fittedRows, heldRows: formulas.heldRows,
      outputs: formulas.outputs.map { found in
        let chosen = found.candidates[found.chosen]
        return Result.Output(
          output: ensemble.outputs[found.output].name, unit: ensemble.outputs[found.output].unit,
          formula: FormulaNotation.text.written(found.stated, names: names),
          sympy: FormulaNotation.sympy.written(found.stated, names: plain),
          isAccepted: found.isAccepted, error: chosen.error, distance: chosen.distance,
          networkError: found.networkError, spread: found.spread,
          constant: found.stated.constant.map(Result.Constant.init),
          terms: Self.terms(found.stated, names),
          pareto: found.candidates.map { candidate in
            Result.Step(
              complexity: candidate.formula.complexity, error: candidate.error,
              distance: candidate.distance,
              formula: FormulaNotation.text.written(
                StatedFormula(candidate.formula, members: []), names: names))
          }, worst: found.weakness)
      })
    table = Self.formulaTable(ensemble, formulas, result)
    tables = [table, Self.constantTable(ensemble, result), Self.paretoTable(ensemble, result)]
      .filter { !$0.rows.isEmpty }
  }

  private static func terms(_ stated: StatedFormula, _ names: [String]) -> [Result.Term] {
    stated.formula.terms.indices.map { place in
      let term = stated.formula.terms[place]
      let alone = StatedFormula(Formula(terms: [term], coefficients: [1]), members: [])
      var text = FormulaNotation.text.written(alone, names: names)
      if let space = text.firstIndex(of: " ") { text = String(text[text.index(after: space)...]) }
      return Result.Term(
        coefficient: Result.Constant(stated.coefficients[place]), term: text,
        parameters: stated.parameters[place].map(Result.Constant.init),
        references: term.factors.filter(\.hasParameter).map(\.reference))
    }
  }

  private static func formulaTable(
    _ ensemble: Ensemble, _ formulas: Formulas, _ result: Result
  ) -> Table {
    var table = Table(
      title: "Formulas in physical units", corner: "",
      columns: ["error", "networks", "distance", "law"])
    for (index, output) in result.outputs.enumerated() {
      table.rows.append(
        (
          ensemble.members[0].label(ofOutput: index),
          [
            output.error.map { .number($0) } ?? .missing,
            output.networkError.map { .number($0) } ?? .missing, .number(output.distance),
            .text(output.isAccepted ? "yes" : "no"),
          ]
        ))
    }
    table.notes = result.outputs.enumerated().map { index, output in
      "\(ensemble.members[0].label(ofOutput: index)) \(output.isAccepted ? "=" : "≈") \(output.formula)"
    }
    table.notes += [
      "Error: of the step that a formula makes, over \(result.heldRows) held-out rows, in deviations of the "
        + "output; networks: theirs; distance: of formula and networks. Law: whether error and distance are "
        + "within \(Float(result.factor)) times what the networks are off themselves; a formula that is no law "
        + "only approximates them."
    ]
    let weak = result.outputs.enumerated().compactMap { index, output in
      output.worst.map { "\(ensemble.members[0].label(ofOutput: index)) where \($0.words)" }
    }
    if !weak.isEmpty {
      table.notes.append("Formulas miss most: " + weak.joined(separator: "; ") + ".")
    }
    if !formulas.areRates {
      table.notes.append(
        "The outputs are no rates of states: formulas are of the outputs as they are.")
    }
    return table
  }

  private static func constantTable(_ ensemble: Ensemble, _ result: Result) -> Table {
    var table = Table(
      title: "Constants, with 95 % intervals over the members", corner: "output",
      columns: ["of", "value", "from", "to", "told"])
    table.hasThreeDigits = true
    func add(_ output: String, _ what: String, _ constant: Result.Constant) {
      table.rows.append(
        (
          output,
          [
            .text(what), .number(constant.fitted), constant.low.map { .number($0) } ?? .missing,
            constant.high.map { .number($0) } ?? .missing,
            .text("\(constant.value)" + (constant.isSnapped ? " (simple)" : "")),
          ]
        ))
    }
    for output in result.outputs where output.isAccepted {
      for term in output.terms {
        add(output.output, term.term, term.coefficient)
        for parameter in term.parameters { add(output.output, "constant inside", parameter) }
      }
      if let constant = output.constant { add(output.output, "constant", constant) }
    }
    table.notes = [
      "The coefficient of an exponential is told where the exponential is one, at the mean temperature."
    ]
    return table
  }

  private static func paretoTable(_ ensemble: Ensemble, _ result: Result) -> Table {
    var table = Table(
      title: "Complexity against error", corner: "output",
      columns: ["complexity", "error", "distance", "formula"])
    for output in result.outputs {
      for step in output.pareto.suffix(5) {
        table.rows.append(
          (
            output.output,
            [
              .integer(step.complexity), step.error.map { .number($0) } ?? .missing,
              .number(step.distance), .text(step.formula.count > 56 ? "…" : step.formula),
            ]
          ))
      }
    }
    return table
  }
}
