import Dynamics
import LinearAlgebra
import Networks
import Structure

/// Which inputs act together on each output of an ensemble: the strength of a pair (i, k) on output o is
/// S_oik = mean |∂²f_o/∂z_i∂z_k| over data in standardised units, that is mean |H_oik| σ_i σ_k/σ_o; i = k tells how far
/// the output bends in one input.
///
/// Zero exactly, and said as such, where no unit that bends sees both inputs in any member: structural additivity
/// (Hooker, KDD 2004; Tsang, Cheng & Liu, ICLR 2018). Where an output has kinks (ReLU), its Hessian is zero almost
/// everywhere and says nothing; there the second difference over steps of ±½ deviation in both inputs stands in its
/// place, which a kink within reach makes large.
public struct Interactions: Sendable {
  /// Half the length over which second differences of functions with kinks are taken, in deviations.
  public static let step = 0.5

  public let outputCount: Int
  public let inputCount: Int
  public let samples: Int
  /// Per member and output, inputs × inputs.
  public let strengths: [[Matrix]]
  /// Per output and pair: how many members have a unit that sees both.
  public let membersConnecting: [[Int]]
  /// Whether the strengths of an output come from second differences in some member.
  public let isDifferenced: [Bool]

  /// - Parameters:
  ///   - ensemble: whose members are all evaluated.
  ///   - points: samples × inputs in physical units, at least one.
  ///   - threads: that may work at once.
  public init(_ ensemble: Ensemble, over points: Matrix, threads: Int) async throws {
    precondition(points.rows > 0)
    let members = ensemble.members
    outputCount = ensemble.outputs.count
    inputCount = ensemble.inputs.count
    samples = points.rows
    let evaluators = members.map { HessianEvaluator($0.network) }
    strengths = try await concurrentMap(members.count, threads: threads) {
      Self.strengths(evaluators[$0], members[$0].inputScaling, points)
    }
    let seen = evaluators.map(\.pairsSeen)
    let width = inputCount
    membersConnecting = (0..<outputCount).map { output in
      (0..<(width * width)).map { pair in seen.count { $0[output][pair] } }
    }
    let kinks = evaluators.map(\.outputsWithKinks)
    isDifferenced = (0..<outputCount).map { output in kinks.contains { $0[output] } }
  }

  private static func strengths(
    _ evaluator: HessianEvaluator, _ scaling: Standardisation, _ points: Matrix
  ) -> [Matrix] {
    let width = evaluator.inputCount
    let seen = evaluator.pairsSeen
    let kinks = evaluator.outputsWithKinks
    var sums = [Matrix](
      repeating: Matrix(rows: width, columns: width), count: evaluator.outputCount)
    for row in 0..<points.rows {
      let input = scaling.standardise(points.row(row))
      let hessians = evaluator.hessians(input)
      for (output, hessian) in hessians.enumerated() where !kinks[output] {
        for entry in hessian.elements.indices {
          sums[output].elements[entry] += abs(hessian.elements[entry])
        }
      }
      if kinks.contains(true) { addDifferences(evaluator, input, seen, kinks, to: &sums) }
    }
    return sums.map { sum in sum.map { $0 / Double(points.rows) } }
  }

  /// |f(++) − f(+−) − f(−+) + f(−−)|/4h² for the outputs with kinks.
  private static func addDifferences(
    _ evaluator: HessianEvaluator, _ input: [Double], _ seen: [[Bool]], _ kinks: [Bool],
    to sums: inout [Matrix]
  ) {
    let width = evaluator.inputCount
    let outputs = kinks.indices.filter { kinks[$0] }
    func values(_ first: Int, _ a: Double, _ second: Int, _ b: Double) -> [Double] {
      var moved = input
      moved[first] += a * step
      moved[second] += b * step
      return evaluator.graph.values(moved)
    }
    for first in 0..<width {
      for second in first..<width {
        let concerned = outputs.filter { seen[$0][first * width + second] }
        if concerned.isEmpty { continue }
        let corners = [
          values(first, 1, second, 1), values(first, 1, second, -1), values(first, -1, second, 1),
          values(first, -1, second, -1),
        ]
        for output in concerned {
          let bend =
            abs(corners[0][output] - corners[1][output] - corners[2][output] + corners[3][output])
            / (4 * step * step)
          sums[output][first, second] += bend
          if first != second { sums[output][second, first] += bend }
        }
      }
    }
  }

  /// Mean over the members.
  public func mean(_ output: Int) -> Matrix {
    let sum = strengths.dropFirst().reduce(strengths[0][output]) { $0 + $1[output] }
    return sum.map { $0 / Double(strengths.count) }
  }

  /// Whether no member has a unit that sees both inputs.
  public func isTrueZero(_ output: Int, _ first: Int, _ second: Int) -> Bool {
    membersConnecting[output][first * inputCount + second] == 0
  }

  /// What the members together say of a pair, after an equivalence test against a threshold (Schuirmann 1987) on the
  /// mean over the members with its 95 % interval by Student's t.
  public enum Verdict: String, Codable, Sendable {
    /// The interval lies above the threshold.
    case present
    /// The interval lies below the threshold.
    case weak
    /// No member has a unit that sees both inputs.
    case absent
    /// The interval holds the threshold.
    case undecided
  }

  /// - Parameters:
  ///   - output: on which the pair acts.
  ///   - first: one input of the pair.
  ///   - second: the other.
  ///   - threshold: of strength, in standardised units.
  /// - Returns: the verdict; for a single member, which has no interval, whether its strength is above the threshold.
  public func verdict(_ output: Int, _ first: Int, _ second: Int, threshold: Double) -> Verdict {
    if isTrueZero(output, first, second) { return .absent }
    let values = strengths.map { $0[output][first, second] }
    let centre = values.mean
    guard values.count > 1 else { return centre > threshold ? .present : .weak }
    let count = Double(values.count)
    let reach =
      studentQuantile(confidence: 0.95, degrees: values.count - 1) * values.standardDeviation
      / (count - 1).squareRoot()
    if centre - reach > threshold { return .present }
    return centre + reach < threshold ? .weak : .undecided
  }

  /// The inputs of an output in groups that act apart: connected components of the graph whose edges are the pairs
  /// with a mean strength above the threshold. Inputs without any effect are in no group.
  ///
  /// - Parameters:
  ///   - output: whose inputs are grouped.
  ///   - inputs: that have an effect on it.
  ///   - threshold: of strength; negative for the structural components, between which strengths are zero exactly.
  public func components(_ output: Int, of inputs: [Int], threshold: Double) -> [[Int]] {
    let strength = mean(output)
    var groups: [[Int]] = []
    for input in inputs {
      let isTied: (Int) -> Bool = { other in
        threshold < 0
          ? !isTrueZero(output, input, other) : strength[input, other] > threshold
      }
      let near = groups.indices.filter { groups[$0].contains(where: isTied) }
      let joined = near.flatMap { groups[$0] } + [input]
      groups = groups.indices.filter { !near.contains($0) }.map { groups[$0] } + [joined]
    }
    return groups.map { $0.sorted() }.sorted { $0[0] < $1[0] }
  }
}
