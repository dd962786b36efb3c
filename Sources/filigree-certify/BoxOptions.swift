import Certificates
import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks
import Reporting
import Yams

/// Which box certificates are to hold in.
struct BoxOptions: ParsableArguments {
  @Option(
    help: "Trajectories whose quantiles are the box.", completion: .file())
  var data: String?

  @Option(
    help: ArgumentHelp(
      """
      The sides in a file: YAML (T_bath: [960, 980]), CSV (input,low,high), or data as for --data. Inputs that \
      it leaves out have the sides of --data, or of the training data.
      """, valueName: "file"),
    completion: .file())
  var box: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Shares of the samples at which the sides lie (0.01,0.99 by default; 0,1 holds all samples).",
      valueName: "low,high"))
  var quantiles: String?
  static let usualQuantiles = 0.01...0.99

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Sides of one's own, in physical units: \"T_bath=960..980,f_tap=0\"; an end left out is no limit.",
      valueName: "name=low..high,…"))
  var `where`: String?

  @Flag(help: "Every state and control whatever, but for --where.")
  var everywhere = false

  init() {}

  func validate() throws {
    _ = try shares()
    guard !everywhere || data == nil && box == nil && quantiles == nil else {
      throw ValidationError(
        "--everywhere has no limits; it does not go with --data, --box or --quantiles.")
    }
    let hasData = data != nil || box.map { !Self.holdsSides($0) } ?? false
    guard quantiles == nil || hasData else {
      throw ValidationError("--quantiles are those of data; give --data FILE.")
    }
    if let box, data != nil, !Self.holdsSides(box) {
      throw ValidationError(
        "--data and --box \(box) are both data; give one, or sides as \(Self.endings).")
    }
  }

  private static let endings = ".yaml, .yml or CSV with the columns input,low,high"

  private func shares() throws -> ClosedRange<Double> {
    guard let quantiles else { return Self.usualQuantiles }
    let parts = NameList.parse(quantiles).map { Double($0) }
    guard parts.count == 2, let low = parts[0], let high = parts[1], low >= 0, high <= 1,
      low < high
    else {
      throw ValidationError(
        "--quantiles \(quantiles): two shares between 0 and 1, the lower first, such as 0.01,0.99.")
    }
    return low...high
  }

  // MARK: Making it

  /// A box, what lies in it, and what it is in words.
  struct Made {
    var box: InputBox
    var samples: Matrix?
    /// Of the samples inside.
    var share: Double?
    var words: String
  }

  /// - Throws: `ValidationError` for sides that make no box, `FileProblem` for files that cannot be understood,
  ///   `DataMismatch` for inputs that are missing.
  func made(for ensemble: Ensemble, _ tables: TableOptions, quiet: Bool) throws -> Made {
    let file = box.flatMap { Self.holdsSides($0) ? $0 : nil }
    let source = data ?? (file == nil ? box : nil)
    let points = try source.map { path in
      try ensemble.points(of: try tables.read(path, quiet: quiet), from: path)
    }
    guard points.map({ $0.rows > 0 }) ?? true else {
      throw DataMismatch("\(source ?? ""): no sample has all inputs of \(ensemble.name)")
    }
    var sides: [ClosedRange<Double>?]
    var words: [String] = []
    if let points, let source {
      let shares = try shares()
      sides = InputBox(quantiles: shares, of: points).sides
      words.append(
        "\(Self.percent(shares.lowerBound)) to \(Self.percent(shares.upperBound)) % quantiles of \(source)")
    } else if everywhere {
      sides = InputBox.everything(ensemble.inputs.count).sides
      words.append("every state and control")
    } else if let ranges = ensemble.members[0].inputRanges {
      sides = ranges
      words.append("the range of the training data")
    } else {
      sides = ensemble.inputs.map { _ in nil }
    }
    if let file {
      try Self.replace(&sides, by: try Self.sides(of: file, ensemble.inputs))
      words.append(file)
    }
    if let text = `where` {
      try Self.replace(&sides, by: try Self.sides(saying: text, ensemble.inputs))
      words.append(text)
    }
    let missing = ensemble.inputs.indices.filter { sides[$0] == nil }.map { ensemble.inputs[$0] }
    guard missing.isEmpty else {
      throw ValidationError(
        "\(ensemble.name) does not say what data it was trained on, so \(missing.listed) \(missing.count == 1 ? "has" : "have") "
          + "no sides: give --data FILE, --box FILE, --where name=low..high, or --everywhere.")
    }
    let box = InputBox(sides: sides.compactMap { $0 })
    return Made(
      box: box, samples: points, share: points.map(box.share),
      words: words.joined(separator: ", then "))
  }

  private static func percent(_ share: Double) -> String { String(format: "%.3g", 100 * share) }

  private static func replace(
    _ sides: inout [ClosedRange<Double>?], by own: [Int: ClosedRange<Double>]
  ) throws {
    for (input, side) in own { sides[input] = side }
  }

  // MARK: Sides in words and files

  private static func input(_ name: String, _ inputs: [Variable]) -> Int? {
    inputs.firstIndex { $0.name == name }
  }

  private static func unknown(_ name: String, _ inputs: [Variable]) -> String {
    let hint = Spelling.nearest(name, among: inputs.map(\.name)).map { "; did you mean \($0)?" }
    return "the model has no input \"\(name)\"\(hint ?? "; it has \(inputs.listed)")"
  }

  /// "a=1..2,b=3": an end left out is no limit.
  static func sides(saying text: String, _ inputs: [Variable]) throws -> [Int: ClosedRange<Double>]
  {
    var result: [Int: ClosedRange<Double>] = [:]
    for item in NameList.parse(text) {
      guard let equals = item.lastIndex(of: "="),
        let side = side(String(item[item.index(after: equals)...]))
      else {
        throw ValidationError(
          "--where: \"\(item)\" is not of the form name=low..high or name=number, the lower first.")
      }
      let name = item[..<equals].trimmingCharacters(in: .whitespaces)
      guard let input = input(name, inputs) else {
        throw ValidationError("--where: \(unknown(name, inputs)).")
      }
      guard result.updateValue(side, forKey: input) == nil else {
        throw ValidationError("--where: \"\(name)\" is given twice.")
      }
    }
    return result
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
  static func holdsSides(_ path: String) -> Bool {
    let ending = WholeFile.ending(path)
    if ending == "yaml" || ending == "yml" { return true }
    guard ending == "csv", let bytes = try? WholeFile.read(path) else { return false }
    let first = bytes.prefix(200).prefix { $0 != 0x0A && $0 != 0x0D }
    let heading = NameList.parse(String(decoding: first, as: UTF8.self))
    return heading.map { $0.lowercased().trimmingCharacters(in: .whitespaces) } == heading3
  }

  private static let heading3 = ["input", "low", "high"]

  private static func sides(of path: String, _ inputs: [Variable]) throws
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
    guard let input = input(name, inputs) else { throw problem(unknown(name, inputs)) }
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
      let numbers = ends.map { Double.construct(from: $0) }
      try add(
        key.string ?? "", numbers.count == 2 ? numbers[0] : nil,
        numbers.count == 2 ? numbers[1] : nil, to: &result, path, key.mark?.line, inputs)
    }
    return result
  }
}

extension Double {
  /// A number of YAML.
  fileprivate static func construct(from node: Node) -> Double? {
    node.scalar.flatMap { Double.construct(from: $0) }
  }
}
