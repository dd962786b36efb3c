import Dynamics
import LinearAlgebra
import Networks

/// The right-hand side that a model of increments implies.
///
/// A model predicts F(x, u) = (x(t + Δt) − x(t))/Δt, a law is ẋ = f(x, u). Along the model's own steps with the
/// controls held, x₀, x₁ = x₀ + Δt F(x₀, u), …, the rate at the start is the logarithm of the shift by one step,
/// Δt f = (Δ − Δ²/2 + Δ³/3 − … − Δ⁶/6) x₀ with forward differences Δ: exact to O(Δt⁶), and the last term says how far
/// the series has converged. Outputs that are no rates of a state are taken as they are.
package struct RateOracle: Sendable {
  /// Terms of the logarithm.
  static let order = 6

  private static let logarithm: [Double] = [1, -1 / 2, 1 / 3, -1 / 4, 1 / 5, -1 / 6]
  /// ½ over k, for Newton's interpolation at the middle of the step.
  private static let binomials: [Double] = [1 / 2, -1 / 8, 1 / 16, -5 / 128, 7 / 256, -21 / 1024]

  private let mean: MeanModel
  /// Per output the input that is its state; empty where the outputs are no rates.
  let states: [Int]
  private let timeStep: Double

  /// - Parameters:
  ///   - members: of rates, or of values; the oracle is their mean.
  ///   - timeStep: Δt in seconds.
  package init(_ members: [Model], timeStep: Double) {
    mean = MeanModel(members)
    self.timeStep = timeStep
    let columns = members[0].outputs.map { output in
      members[0].inputs.firstIndex { $0.name == output.name && $0.lag == nil }
    }
    let isOfRates = members[0].predicts == .rate && columns.allSatisfy { $0 != nil }
    states = isOfRates ? columns.compactMap { $0 } : []
  }

  /// What the model says of one step from a point.
  package struct Step: Sendable {
    /// F, per output.
    package var increments: [Double]
    /// f, per output.
    package var rates: [Double]
    /// The last term of the series of f, per output.
    var lastTerms: [Double]
    /// The inputs at the middle and the end of the step.
    package var middle: [Double]
    package var end: [Double]

    /// The step on a path that makes other increments, from the same start.
    func ending(_ increments: [Double], states: [Int], timeStep: Double) -> Step {
      var result = self
      for (output, state) in states.enumerated() {
        let miss = timeStep * (increments[output] - self.increments[output])
        result.middle[state] += miss / 2
        result.end[state] += miss
      }
      return result
    }
  }

  package func step(from point: [Double]) -> Step {
    let first = mean.outputs(point)
    guard !states.isEmpty else {
      return Step(
        increments: first, rates: first, lastTerms: first.map { _ in 0 }, middle: point, end: point)
    }
    var increments = [first]
    var place = point
    for _ in 1..<Self.order {
      for (output, state) in states.enumerated() {
        place[state] += timeStep * (increments.last ?? first)[output]
      }
      increments.append(mean.outputs(place))
    }
    var result = Step(
      increments: first, rates: first, lastTerms: first.map { _ in 0 }, middle: point, end: point)
    for (output, state) in states.enumerated() {
      // Δᵏ x₀/Δt = Δᵏ⁻¹ of the increments.
      var differences = increments.map { $0[output] }
      var leading: [Double] = []
      while !differences.isEmpty {
        leading.append(differences[0])
        differences = zip(differences.dropFirst(), differences).map { $0 - $1 }
      }
      result.rates[output] = Self.weighted(leading, Self.logarithm)
      result.lastTerms[output] = (leading.last ?? 0) / Double(Self.order)
      let halfway = Self.weighted(leading, Self.binomials)
      result.middle[state] += timeStep * halfway
      result.end[state] += timeStep * first[output]
    }
    return result
  }

  private static func weighted(_ values: [Double], _ weights: [Double]) -> Double {
    zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
