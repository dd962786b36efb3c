import Dynamics
import LinearAlgebra
import Networks

/// An output as a sum over groups of inputs that act apart: f(z) = f(z̄) + Σ_C f_C(z_C), with
/// f_C(z_C) = f(z_C, z̄ elsewhere) − f(z̄) and z̄ the training mean; f is the mean of the members.
///
/// The sum is exact where the groups are structural components, and otherwise leaves a remainder, which is told.
public struct AdditiveParts: Sendable {
  public struct Part: Sendable {
    /// The group of inputs.
    public var inputs: [Int]
    /// Standard deviation of f_C over the samples, in deviations of the output.
    public var strength: Double
  }

  public let output: Int
  /// The strongest first.
  public let parts: [Part]
  /// Root of the mean square over the samples of what the sum leaves, in deviations of the output.
  public let remainder: Double
  /// Whether no unit of any member sees inputs of two groups.
  public let isExact: Bool

  /// - Parameters:
  ///   - ensemble: of models.
  ///   - output: that is taken apart.
  ///   - groups: of its inputs, disjoint; all others have no effect on it.
  ///   - points: samples × inputs in physical units.
  ///   - interactions: of the same ensemble.
  public init(
    _ ensemble: Ensemble, output: Int, groups: [[Int]], over points: Matrix,
    _ interactions: Interactions
  ) {
    let mean = MeanModel(ensemble)
    let centre = ensemble.members[0].inputScaling.mean
    let deviation = ensemble.members[0].outputScaling.deviation[output]
    let base = mean.outputs(centre)[output]
    var values = [[Double]](repeating: [], count: groups.count)
    var squares = 0.0
    for row in 0..<points.rows {
      let point = Array(points.row(row))
      var sum = base
      for (index, group) in groups.enumerated() {
        var moved = centre
        for input in group { moved[input] = point[input] }
        let part = mean.outputs(moved)[output] - base
        values[index].append(part / deviation)
        sum += part
      }
      let rest = (mean.outputs(point)[output] - sum) / deviation
      squares += rest * rest
    }
    self.output = output
    remainder = (squares / Double(points.rows)).squareRoot()
    parts = zip(groups, values).map { Part(inputs: $0, strength: $1.standardDeviation) }
      .sorted { $0.strength > $1.strength }
    isExact = groups.indices.allSatisfy { first in
      groups.indices.allSatisfy { second in
        first == second
          || groups[first].allSatisfy { a in
            groups[second].allSatisfy { interactions.isTrueZero(output, a, $0) }
          }
      }
    }
  }
}
