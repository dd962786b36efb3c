import Dynamics
import Findings
import Foundation
import LinearAlgebra
import Networks
import Reporting

/// Values of a model's inputs in a command line: name=value,….
public enum NamedValues {
  /// - Parameters:
  ///   - text: names and values, separated by commas.
  ///   - option: that holds the text, for complaints.
  ///   - form: of an item, for complaints, such as "name=number".
  ///   - inputs: that may be named.
  ///   - value: reads what stands behind the equals sign; nil for what it cannot read.
  /// - Returns: the values by the inputs' numbers.
  /// - Throws: `ValidationError` for another form, unknown names and names given twice.
  public static func parse<Value>(
    _ text: String, option: String, form: String, inputs: [Variable], value: (String) -> Value?
  ) throws -> [Int: Value] {
    var values: [Int: Value] = [:]
    for item in NameList.parse(text) {
      guard let equals = item.lastIndex(of: "="),
        let found = value(String(item[item.index(after: equals)...]))
      else { throw ValidationError("\(option): \"\(item)\" is not of the form \(form).") }
      let name = item[..<equals].trimmingCharacters(in: .whitespaces)
      guard let input = inputs.firstIndex(where: { $0.name == name }) else {
        throw ValidationError("\(option): \(unknown(name, inputs))")
      }
      guard values.updateValue(found, forKey: input) == nil else {
        throw ValidationError("\(option): \"\(name)\" is given twice.")
      }
    }
    return values
  }

  /// That a model has no input of a name, with the nearest that it has.
  public static func unknown(_ name: String, _ inputs: [Variable]) -> String {
    let hint = Spelling.nearest(name, among: inputs.map(\.name)).map { "; did you mean \($0)?" }
    return "the model has no input \"\(name)\"\(hint ?? "; it has \(inputs.listed)")"
  }

  /// A point in physical units, of which inputs that are not named stay at the training mean. Says where that is
  /// unknown, and where the point lies outside the training data.
  ///
  /// - Parameters:
  ///   - text: name=number,….
  ///   - option: that holds the text, for complaints.
  ///   - model: whose inputs are named.
  /// - Throws: `ValidationError` for what is not of that form or names no input.
  public static func point(_ text: String, option: String, of model: Model) throws -> [Double] {
    let given = try parse(text, option: option, form: "name=number", inputs: model.inputs) {
      Double($0).flatMap { $0.isFinite ? $0 : nil }
    }
    let point = model.inputScaling.mean.enumerated().map { given[$0] ?? $1 }
    let others = model.inputs.indices.filter { given[$0] == nil }
    if !others.isEmpty, others.allSatisfy({ model.inputScaling.mean[$0] == 0 }) {
      Console.note(
        "note: the file holds no means; \(others.map { model.inputs[$0] }.listed) "
          + "\(others.count == 1 ? "is" : "are") taken at 0")
    }
    if model.outside(Matrix([point]))?.share ?? 0 > 0 {
      Console.warning(
        "the point lies far outside the training data; what the model says there is extrapolation")
    }
    return point
  }
}

extension Ensemble {
  /// An output and an input by name; an output's may begin with "d/dt" or "next".
  ///
  /// - Parameter names: of the output and of the input, as `--explain` has them.
  /// - Throws: `DataMismatch` for names that the models do not have.
  public func pair(named names: [String]) throws -> (output: Int, input: Int) {
    func index(_ name: String, of variables: [Variable], _ role: String) throws -> Int {
      let prefix = ["d/dt ", "next "].first { role == "output" && name.hasPrefix($0) } ?? ""
      let plain = String(name.dropFirst(prefix.count))
      let known = variables.map(\.name)
      if let index = known.firstIndex(of: name) ?? known.firstIndex(of: plain) { return index }
      let isSwapped =
        inputs.contains { $0.name == names[0] } && outputs.contains { $0.name == names[1] }
      throw DataMismatch(
        "\(self.name) has no \(role) \"\(name)\"; "
          + (isSwapped
            ? "the output comes first: --explain \(names[1]) \(names[0])"
            : "there are \(variables.listed)"))
    }
    return (
      try index(names[0], of: outputs, "output"), try index(names[1], of: inputs, "input")
    )
  }
}
