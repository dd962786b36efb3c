import Certificates
import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks

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
    let hasData = data != nil || box.map { !BoxSides.areHeld(in: $0) } ?? false
    guard quantiles == nil || hasData else {
      throw ValidationError("--quantiles are those of data; give --data FILE.")
    }
    if let box, data != nil, !BoxSides.areHeld(in: box) {
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
    let file = box.flatMap { BoxSides.areHeld(in: $0) ? $0 : nil }
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
        "\(Self.percent(shares.lowerBound)) to \(Self.percent(shares.upperBound)) % quantiles of \(source)"
      )
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
      for (input, side) in try BoxSides.read(file, ensemble.inputs) { sides[input] = side }
      words.append(file)
    }
    if let text = `where` {
      for (input, side) in try BoxSides.saying(text, ensemble.inputs) { sides[input] = side }
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
}
