import Dynamics
import Foundation
import LinearAlgebra
import Networks
import Reporting

/// Which inputs act together, as a table, values and a picture.
public struct InteractionReport: Sendable {
  public struct Result: Encodable, Sendable {
    struct Pair: Encodable, Sendable {
      var output: String
      var first: String
      var second: String
      /// Mean over the members of mean |H| in standardised units.
      var strength: Double
      var spread: Double
      /// Members in which a unit that bends sees both.
      var membersConnecting: Int
      var verdict: Interactions.Verdict
    }
    struct Part: Encodable, Sendable {
      var inputs: [String]
      var strength: Double
    }
    struct Output: Encodable, Sendable {
      var name: String
      var parts: [Part]
      /// What the sum of the parts leaves, in deviations of the output.
      var remainder: Double
      /// Whether the sum is exact because no unit sees inputs of two parts.
      var isExact: Bool
      var isDifferenced: Bool
    }

    var threshold: Double
    var samples: Int
    var members: Int
    var pairs: [Pair]
    var outputs: [Output]
  }

  public let result: Result
  public let tables: [Table]
  let parts: [AdditiveParts]

  /// - Parameters:
  ///   - ensemble: of models.
  ///   - interactions: of its members.
  ///   - points: samples × inputs in physical units, over which the parts are taken.
  ///   - threshold: of strength, in standardised units.
  public init(
    _ ensemble: Ensemble, _ interactions: Interactions, over points: Matrix, threshold: Double
  ) {
    let names = ensemble.inputs.map(\.name)
    var pairs: [Result.Pair] = []
    var parts: [AdditiveParts] = []
    for output in ensemble.outputs.indices {
      let mean = interactions.mean(output)
      for first in names.indices {
        for second in first..<names.count
        where !interactions.isTrueZero(output, first, second) {
          pairs.append(
            Result.Pair(
              output: ensemble.outputs[output].name, first: names[first], second: names[second],
              strength: mean[first, second],
              spread: interactions.strengths.map { $0[output][first, second] }.standardDeviation,
              membersConnecting: interactions.membersConnecting[output][
                first * names.count + second],
              verdict: interactions.verdict(output, first, second, threshold: threshold)))
        }
      }
      parts.append(
        AdditiveParts(
          ensemble, output: output,
          groups: interactions.components(
            output, of: Self.live(ensemble, output), threshold: threshold),
          over: points, interactions))
    }
    self.parts = parts
    result = Result(
      threshold: threshold, samples: interactions.samples, members: ensemble.members.count,
      pairs: pairs,
      outputs: parts.map { part in
        Result.Output(
          name: ensemble.outputs[part.output].name,
          parts: part.parts.map {
            Result.Part(inputs: $0.inputs.map { names[$0] }, strength: $0.strength)
          },
          remainder: part.remainder, isExact: part.isExact,
          isDifferenced: interactions.isDifferenced[part.output])
      })
    tables = [
      Self.pairTable(result, ensemble, interactions), Self.partTable(result, ensemble),
    ]
  }

  /// Inputs that reach the output in some member.
  private static func live(_ ensemble: Ensemble, _ output: Int) -> [Int] {
    let reached = ensemble.members.map { model in
      let evaluator = HessianEvaluator(model.network)
      return evaluator.inputsReaching[output]
    }
    return ensemble.inputs.indices.filter { input in reached.contains { $0[input] } }
  }

  /// Pairs of two inputs; what bends in one alone stands in the values for programs.
  private static func pairTable(
    _ result: Result, _ ensemble: Ensemble, _ interactions: Interactions
  ) -> Table {
    let shown = result.pairs.filter { $0.first != $0.second && $0.strength > result.threshold }
      .sorted { $0.output == $1.output && $0.strength > $1.strength }
    var table = Table(
      title:
        "Inputs that act together: mean |∂²/∂∂| over \(result.samples) samples, standardised"
        + (result.members > 1 ? ", mean of \(result.members) members" : ""),
      corner: "output", columns: ["first", "second", "strength", "spread", "members", "verdict"])
    let most = 6
    for output in ensemble.outputs.map(\.name) {
      for pair in shown.filter({ $0.output == output }).prefix(most) {
        table.rows.append(
          (
            output,
            [
              .text(pair.first), .text(pair.second), .number(pair.strength), .number(pair.spread),
              .integer(pair.membersConnecting), .text(pair.verdict.rawValue),
            ]
          ))
      }
    }
    let cut = shown.count - table.rows.count
    let tied = result.pairs.count { $0.first != $0.second }
    let all = ensemble.outputs.count * ensemble.inputs.count * (ensemble.inputs.count - 1) / 2
    table.notes.append(
      "Of \(all) pairs \(all - tied) are exactly zero: no unit of any member sees both inputs. "
        + "\(tied - shown.count) more are weaker than \(Float(result.threshold))."
        + (cut > 0
          ? " The \(most) strongest of each output are shown; \(cut) more are in JSON." : ""))
    if interactions.isDifferenced.contains(true) {
      table.notes.append(
        "Where networks have kinks, second differences over half a deviation to either side stand for "
          + "derivatives, which are zero between kinks.")
    }
    return table
  }

  private static func partTable(_ result: Result, _ ensemble: Ensemble) -> Table {
    var table = Table(
      title: "Each output as a sum of functions of groups of inputs",
      corner: "output", columns: ["inputs that act together", "deviation", "sum"])
    for (index, output) in result.outputs.enumerated() {
      let label = ensemble.members[0].label(ofOutput: index)
      for (place, part) in output.parts.enumerated() {
        let sum = output.isExact ? "exact" : "±" + Cell.number(output.remainder).short
        table.rows.append(
          (
            place == 0 ? label : "",
            [
              .text(part.inputs.joined(separator: ", ")),
              .number(part.strength < 1e-12 ? 0 : part.strength),
              place == 0 ? .text(sum) : .missing,
            ]
          ))
      }
    }
    table.notes = [
      "Deviation: of the group's own function over the samples, in deviations of the output. Sum: what the "
        + "functions of the groups leave; exact where no unit sees inputs of two groups."
    ]
    return table
  }
}

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
    let weak = result.outputs.compactMap { output in
      output.worst.map { "d/dt \(output.output) where \($0.words)" }
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
