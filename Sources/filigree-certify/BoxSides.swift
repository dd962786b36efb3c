import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import Reporting
import Yams

/// Sides of a box in words and in files, in physical units.
enum BoxSides {
  /// "a=1..2,b=3": an end left out is no limit.
  static func saying(_ text: String, _ inputs: [Variable]) throws -> [Int: ClosedRange<Double>] {
    try NamedValues.parse(
      text, option: "--where", form: "name=low..high or name=number, the lower first",
      inputs: inputs, value: side)
  }

  private static func side(_ text: String) -> ClosedRange<Double>? {
    func number(_ text: some StringProtocol, _ open: Double) -> Double? {
      let trimmed = text.trimmingCharacters(in: .whitespaces)
      return trimmed.isEmpty ? open : Double(trimmed).flatMap { $0.isFinite ? $0 : nil }
    }
    guard let dots = text.range(of: "..") else {
      return number(text, .nan).flatMap { $0.isFinite ? $0...$0 : nil }
    }
    guard let low = number(text[..<dots.lowerBound], -.infinity),
      let high = number(text[dots.upperBound...], .infinity), low <= high
    else { return nil }
    return low...high
  }

  /// Whether a file holds sides, not data.
  static func areHeld(in path: String) -> Bool {
    let ending = WholeFile.ending(path)
    if ending == "yaml" || ending == "yml" { return true }
    guard ending == "csv", let bytes = try? WholeFile.read(path) else { return false }
    let first = bytes.prefix(200).prefix { $0 != 0x0A && $0 != 0x0D }
    let heading = NameList.parse(String(decoding: first, as: UTF8.self))
    return heading.map { $0.lowercased().trimmingCharacters(in: .whitespaces) } == columns
  }

  private static let columns = ["input", "low", "high"]

  static func read(_ path: String, _ inputs: [Variable]) throws
    -> [Int: ClosedRange<Double>]
  {
    let bytes = try WholeFile.read(path)
    guard bytes.count < 1 << 20, let text = String(validating: bytes, as: UTF8.self) else {
      throw FileProblem.malformed(path: path, place: "", reason: "these are no sides of a box")
    }
    return WholeFile.ending(path) == "csv"
      ? try sides(ofLines: text, path, inputs) : try sides(ofYAML: text, path, inputs)
  }

  private static func add(
    _ name: String, _ low: Double?, _ high: Double?, to result: inout [Int: ClosedRange<Double>],
    _ path: String, _ line: Int?, _ inputs: [Variable]
  ) throws {
    func problem(_ reason: String) -> FileProblem {
      .malformed(path: path, place: line.map { "line \($0)" } ?? "", reason: reason)
    }
    guard let input = inputs.firstIndex(where: { $0.name == name }) else {
      throw problem(NamedValues.unknown(name, inputs))
    }
    guard let low, let high, low <= high, low < .infinity, high > -.infinity else {
      throw problem(
        "\(name): two numbers are wanted, the lower first, or one; an end without limit is -inf or inf in CSV, "
          + "-.inf or .inf in YAML")
    }
    guard result.updateValue(low...high, forKey: input) == nil else {
      throw problem("\(name) is given twice")
    }
  }

  private static func sides(ofLines text: String, _ path: String, _ inputs: [Variable]) throws
    -> [Int: ClosedRange<Double>]
  {
    var result: [Int: ClosedRange<Double>] = [:]
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated().dropFirst()
    where !line.allSatisfy(\.isWhitespace) {
      let fields = NameList.parse(String(line)).map { $0.trimmingCharacters(in: .whitespaces) }
      guard fields.count == 3 else {
        throw FileProblem.malformed(
          path: path, place: "line \(number + 1)",
          reason: "three fields are wanted, input,low,high; there are \(fields.count)")
      }
      try add(
        fields[0], Double(fields[1]), Double(fields[2]), to: &result, path, number + 1, inputs)
    }
    return result
  }

  private static func sides(ofYAML text: String, _ path: String, _ inputs: [Variable]) throws
    -> [Int: ClosedRange<Double>]
  {
    let node: Node?
    do { node = try Yams.compose(yaml: text) } catch {
      let words = "\(error)".split(separator: "\n").joined(separator: " ").prefix(200)
      throw FileProblem.malformed(path: path, place: "", reason: "this is no YAML: \(words)")
    }
    guard let mapping = node?.mapping else {
      throw FileProblem.malformed(
        path: path, place: "", reason: "sides are wanted, one a line, such as T_bath: [960, 980]")
    }
    var result: [Int: ClosedRange<Double>] = [:]
    for (key, value) in mapping {
      let ends = value.sequence.map(Array.init) ?? [value, value]
      let numbers = ends.map(\.float)
      try add(
        key.string ?? "", numbers.count == 2 ? numbers[0] : nil,
        numbers.count == 2 ? numbers[1] : nil, to: &result, path, key.mark?.line, inputs)
    }
    return result
  }
}
