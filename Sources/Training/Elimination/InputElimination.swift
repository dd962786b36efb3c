import Foundation
import LinearAlgebra
import Networks

/// Takes inputs out of a network, the least needed first, as long as its errors on other rows do not
/// suffer.
///
/// An input's cost is the loss without it once the output's own parameters, in which the errors are
/// linear, have answered. The cheapest input goes out, the rest is fitted anew, and the validation
/// rows decide: neither their error nor that where the input is far from its mean may rise by more than
/// the tolerance, so that an input which acts in few rows is not lost for them. After Hassibi & Stork's
/// optimal brain surgeon (1993), which judges weights by the curvature of the loss instead; where a
/// network fits to six digits, that curvature is flat in many directions and says little.
public struct InputElimination: Equatable, Sendable {
  /// Attempts at most to fit the rest after a removal.
  public var attempts: Int
  /// By which share of itself, and by which amount, an error may rise.
  public var tolerance = 0.3
  public var slack = 1e-6
  /// It ends after so many removals in turn that were taken back.
  public var refusals = 4

  public init(attempts: Int) { self.attempts = attempts }

  public struct Outcome: Equatable, Sendable {
    public var network: Network
    /// In their order.
    public var removed: [Int]
    public var refused: [Int]
  }

  /// - Parameters:
  ///   - network: fitted to `rows`.
  ///   - rows: that the network is fitted to.
  ///   - validation: other rows, which decide.
  ///   - kernels: the instruction set.
  public func run(
    _ network: Network, _ rows: RegressionRows, validation: RegressionRows,
    kernels: Kernels = .active
  ) -> Outcome {
    var outcome = Outcome(network: network, removed: [], refused: [])
    var errors = Errors(network, validation, kernels)
    var fitted = Errors(network, rows, kernels)
    var costs = costs(network, rows, kernels)
    var refusalsInTurn = 0
    while refusalsInTurn < refusals,
      let next = costs.min(by: { ($0.value.loss, $0.key) < ($1.value.loss, $1.key) })
    {
      let limit = Limit(
        self, errors, fitted: fitted, input: next.key,
        effectiveRows: validation.effectiveRows(next.key))
      if let fit = refit(next.value.start, rows, validation, within: limit, kernels) {
        outcome.network = fit.network
        outcome.removed.append(next.key)
        (errors, fitted) = (fit.errors, fit.fitted)
        refusalsInTurn = 0
        costs = self.costs(fit.network, rows, kernels)
        for input in outcome.refused { costs[input] = nil }
      } else {
        outcome.refused.append(next.key)
        refusalsInTurn += 1
        costs[next.key] = nil
      }
    }
    return outcome
  }

  /// Errors on some rows.
  private struct Errors {
    let mean: Double
    let leverage: [Double]

    init(_ network: Network, _ rows: RegressionRows, _ kernels: Kernels) {
      var problem = LeastSquares(network, rows, kernels: kernels)
      (mean, leverage) = problem.errorsByInput()
    }
  }

  /// What a network without an input must keep to.
  private struct Limit {
    let input: Int
    let mean: Double
    let leverage: Double
    /// The same on the rows that are fitted, wider: what they cannot do without is no matter of chance.
    let fittedMean: Double
    let fittedLeverage: Double

    init(
      _ elimination: InputElimination, _ errors: Errors, fitted: Errors, input: Int,
      effectiveRows: Double
    ) {
      let (tolerance, slack) = (elimination.tolerance, elimination.slack)
      self.input = input
      mean = (1 + tolerance) * errors.mean + slack
      // What few rows say is known less well.
      let share = Swift.max(tolerance, 2 / effectiveRows.squareRoot())
      leverage = (1 + share) * errors.leverage[input] + slack
      fittedMean = 3 * (fitted.mean + slack)
      fittedLeverage = 3 * (fitted.leverage[input] + slack)
    }

    func allows(_ errors: Errors) -> Bool {
      errors.mean <= mean && errors.leverage[input] <= leverage
    }

    func allows(fitted: Errors) -> Bool {
      fitted.mean <= fittedMean && fitted.leverage[input] <= fittedLeverage
    }
  }

  /// For each input that is read, the loss without it and the network from which to go on.
  private func costs(_ network: Network, _ rows: RegressionRows, _ kernels: Kernels)
    -> [Int: (loss: Double, start: Network)]
  {
    var problem = LeastSquares(
      network, rows, ridge: LevenbergMarquardt.smallRidge, kernels: kernels)
    let parameters = problem.parameters
    var result: [Int: (loss: Double, start: Network)] = [:]
    for (input, group) in problem.readers.enumerated() where !group.isEmpty {
      var without = parameters
      for index in group { without[index] = 0 }
      problem.move(to: without)
      let loss = problem.project(holding: Set(group))
      result[input] = (loss, problem.network)
    }
    return result
  }

  /// A few attempts at a time, until the limit is kept to; nil when it will not be.
  private func refit(
    _ start: Network, _ rows: RegressionRows, _ validation: RegressionRows, within limit: Limit,
    _ kernels: Kernels
  ) -> (network: Network, fitted: Errors, errors: Errors)? {
    var problem = LeastSquares(
      start, rows, ridge: LevenbergMarquardt.smallRidge, kernels: kernels)
    var state = LevenbergMarquardt.State(&problem)
    while true {
      if state.equations.loss <= limit.fittedMean {
        let network = problem.network
        let fitted = Errors(network, rows, kernels)
        if limit.allows(fitted: fitted) {
          let errors = Errors(network, validation, kernels)
          if limit.allows(errors) { return (network, fitted, errors) }
        }
      }
      let before = state.equations.loss
      let left = attempts - state.attempts
      guard left > 0, !state.isAtEnd else { return nil }
      LevenbergMarquardt(attempts: min(left, 4)).advance(&state, &problem)
      // Hopeless at this pace.
      let pace = state.equations.loss / before
      guard state.equations.loss * Double.pow(pace, Double(left) / 4) <= limit.fittedMean else {
        return nil
      }
    }
  }
}

extension RegressionRows {
  /// (Σ w z²)²/Σ w² z⁴: how many rows an input's effect is known from, as many as move it alike.
  func effectiveRows(_ input: Int) -> Double {
    var squares = 0.0
    var fourths = 0.0
    for row in 0..<inputs.rows {
      let weight = weights.map { $0.row(row).mean } ?? 1
      let term = weight * inputs[row, input] * inputs[row, input]
      squares += term
      fourths += term * term
    }
    return fourths > 0 ? squares * squares / fourths : 0
  }
}
