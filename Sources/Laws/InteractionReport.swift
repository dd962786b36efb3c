import Dynamics
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
  /// Of every output.
  public let parts: [AdditiveParts]

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
    let live = Self.live(ensemble)
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
            output, of: live[output], threshold: threshold),
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

  /// Per output the inputs that reach it in some member.
  private static func live(_ ensemble: Ensemble) -> [[Int]] {
    let reached = ensemble.members.map { HessianEvaluator($0.network).inputsReaching }
    return ensemble.outputs.indices.map { output in
      ensemble.inputs.indices.filter { input in reached.contains { $0[output][input] } }
    }
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
