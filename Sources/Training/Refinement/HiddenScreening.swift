import LinearAlgebra
import Networks

/// Takes the hidden weights from inputs that bend nothing, before the costly part of a fit: every attempt of
/// Levenberg-Marquardt costs the square of the number of parameters, and what an idle input lends a network for its
/// bends is noise. Direct weights to the outputs stay, so that no input is decided on here.
///
/// What the loss would rise by without the hidden weights w of an input, all else refitted, is wᵀ(C_ww)⁻¹w to second
/// order, with C = (JᵀJ/N)⁻¹ (Hassibi & Stork 1993, for groups). Per weight, and in units of the loss over N, it is
/// about one for an input that does nothing. Inputs below a limit lose their hidden weights together, if the error on
/// rows that are held out does not rise; otherwise fewer do.
package struct HiddenScreening {
  /// Attempts to refit the rest.
  var attempts = 4
  /// Costs per weight, in units of the loss over N, below which inputs are tried, and the share of the held-out error
  /// that it may reach; those that are hardly told from nothing may cost a hundredth.
  var limits: [(cost: Double, share: Double)] = [(30, 1), (10, 1), (4, 1.01)]
  var kernels = Kernels.active

  package init() {}

  /// - Parameters:
  ///   - network: of one output.
  ///   - rows: that it has been fitted to.
  ///   - validation: that it has not seen.
  /// - Returns: nil where nothing is taken.
  package func run(_ network: Network, _ rows: RegressionRows, validation: RegressionRows)
    -> Network?
  {
    guard network.outputCount == 1 else { return nil }
    var problem = LeastSquares(
      network, rows, ridge: LevenbergMarquardt.smallRidge, kernels: kernels)
    let groups = problem.hiddenReaders.filter { !$0.isEmpty }
    let equations = problem.evaluate()
    let inverse = [1e-6, 1e-5, 1e-4].lazy
      .compactMap { equations.damped($0).invertedPositiveDefinite() }.first
    guard let inverse else { return nil }
    let parameters = problem.parameters
    let unit = equations.loss / Double(rows.inputs.rows)
    let costs = groups.map { group in
      OptimalRemoval(of: group, from: parameters, inverse).map {
        $0.cost / Double(group.count) / unit
      }
        ?? .infinity
    }
    let before = loss(network, validation)
    var tried = 0
    for limit in limits {
      let chosen = groups.indices.filter { costs[$0] < limit.cost }
      guard !chosen.isEmpty, chosen.count != tried || limit.share > 1,
        let removal = OptimalRemoval(of: chosen.flatMap { groups[$0] }, from: parameters, inverse)
      else { continue }
      tried = chosen.count
      problem.move(to: removal.parameters)
      let fit = LevenbergMarquardt(attempts: attempts, ridge: LevenbergMarquardt.smallRidge)
        .fit(problem.network.withoutIdleUnits, rows, kernels: kernels)
      if loss(fit.network, validation) <= limit.share * before { return fit.network }
    }
    return nil
  }

  private func loss(_ network: Network, _ rows: RegressionRows) -> Double {
    var problem = LeastSquares(network, rows, kernels: kernels)
    return problem.loss()
  }
}

/// Parameters set to zero together, with all others moved to where the loss is then least, to second order.
private struct OptimalRemoval {
  var parameters: [Double]
  /// By how much the loss rises.
  var cost: Double

  /// - Parameter inverse: (JᵀJ/N)⁻¹.
  init?(of group: [Int], from parameters: [Double], _ inverse: Matrix) {
    let part = inverse.submatrix(rows: group, columns: group)
    let weights = group.map { parameters[$0] }
    guard let pull = part.solvePositiveDefinite(weights) else { return nil }
    cost = zip(weights, pull).reduce(0) { $0 + $1.0 * $1.1 }
    self.parameters = parameters.indices.map { row in
      parameters[row] - zip(group, pull).reduce(0) { $0 + inverse[row, $1.0] * $1.1 }
    }
    for index in group { self.parameters[index] = 0 }
  }
}
