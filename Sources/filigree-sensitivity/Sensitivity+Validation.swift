import CommandSupport
import Dynamics
import Findings
import Foundation
import Interchange
import LinearAlgebra
import Networks

extension Sensitivity {
  func checkOptions() throws {
    guard (data == nil) != (point == nil) else {
      throw ValidationError("Give either --data FILE to average over, or --point name=value,….")
    }
    if let samples, samples < 2 {
      throw ValidationError("--samples \(samples): must be at least 2.")
    }
    guard samples == nil || stability || measure != .jacobian else {
      throw ValidationError("--samples belongs to --stability or a --measure other than jacobian.")
    }
    guard seed == nil || measure == .permutation else {
      throw ValidationError("--seed belongs to --measure permutation.")
    }
    guard !stability || units == .standardised else {
      throw ValidationError(
        "--units has no meaning with --stability: time constants are in minutes or seconds.")
    }
    let isPlain = measure == .jacobian && !statistics && by == nil
    let modes = [
      ("--statistics", statistics), ("--by", by != nil),
      ("--measure \(measure.rawValue)", measure != .jacobian), ("--output", output != nil),
      ("--stability", stability), ("--point", point != nil),
    ].filter(\.1).map(\.0)
    guard modes.count < 2 || modes == ["--stability", "--point"] else {
      throw ValidationError(
        "\(modes.joined(separator: " and ")) answer different questions; give one.")
    }
    if let output, WholeFile.ending(output) != "nc" {
      throw ValidationError("--output \(output): must end in .nc.")
    }
    if let plot {
      try PlotFile.format(plot)
      guard point == nil, isPlain || measure != .jacobian, !stability, output == nil else {
        throw ValidationError(
          "--plot draws the relevance table of --data, or that of --measure; it does not go with --point, "
            + "--statistics, --by, --stability or --output.")
      }
    }
    guard plant == nil || stability else {
      throw ValidationError("--plant belongs to --stability.")
    }
    guard data != nil || trajectory == nil else {
      throw ValidationError("--trajectory belongs to --data.")
    }
    guard plant != nil || variation.vary == nil else {
      throw ValidationError("--vary belongs to --plant.")
    }
    if let plant { _ = try variation.plant(plant) }
  }

  /// - Throws: `ValidationError` for what is not name=value or names no input.
  func parsePoint(_ model: Model) throws -> [Double] {
    var values = model.inputScaling.mean
    var named = Set<String>()
    for item in NameList.parse(point ?? "") {
      guard let equals = item.lastIndex(of: "="),
        let value = Double(item[item.index(after: equals)...]), value.isFinite
      else {
        throw ValidationError("--point: \"\(item)\" is not of the form name=number.")
      }
      let name = String(item[..<equals])
      guard let index = model.inputs.firstIndex(where: { $0.name == name }) else {
        throw ValidationError(
          "--point: the model has no input \"\(name)\"; it has " + model.inputs.listed + ".")
      }
      guard named.insert(name).inserted else {
        throw ValidationError("--point: \"\(name)\" is given twice.")
      }
      values[index] = value
    }
    let others = model.inputs.indices.filter { !named.contains(model.inputs[$0].name) }
    if !others.isEmpty, others.allSatisfy({ model.inputScaling.mean[$0] == 0 }) {
      Console.note(
        "note: the file holds no means; \(others.map { model.inputs[$0] }.listed) "
          + "\(others.count == 1 ? "is" : "are") taken at 0")
    }
    let only = Matrix([values])
    if model.outside(only)?.share ?? 0 > 0 {
      Console.warning(
        "the point lies far outside the training data; what the model says there is extrapolation")
    }
    return values
  }
}
