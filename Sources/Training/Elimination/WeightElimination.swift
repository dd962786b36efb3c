import LinearAlgebra
import Networks

/// Removes weights from a fitted network, many at a time, while its errors hardly rise: Hassibi & Stork's optimal
/// brain surgeon (1993), in rounds.
///
/// First all hidden units at once, in case the linear part does as well. Then rounds: each removes the share of the
/// weights whose removal costs least, ½ w²/Cⱼⱼ with C = (JᵀJ/N + 1e-6 diag)⁻¹ (more where that is not definite),
/// and refits the rest. A removal stands if the errors on fitted and validation rows stay within the tolerance of
/// those at the start; otherwise half as many are tried.
public struct WeightElimination: Equatable, Sendable {
  /// The largest number of attempts to refit the rest after a round.
  public var attempts: Int
  /// The share of itself, and the amount, by which the mean squared errors may rise in total.
  public var tolerance = 0.3
  public var slack = 1e-7
  /// The share of the weights that the first round removes; 0 for no rounds.
  public var share = 0.3

  public init(attempts: Int) { self.attempts = attempts }

  public func run(
    _ network: Network, _ rows: RegressionRows, validation: RegressionRows,
    kernels: Kernels = .active
  ) -> Network {
    let inputs = network.readInputs
    let limit = (
      fitted: limit(network, rows, kernels), validation: limit(network, validation, kernels)
    )
    func fitted(_ network: Network) -> Network? {
      let fit = LevenbergMarquardt(
        attempts: attempts, improvement: 0.05, ridge: LevenbergMarquardt.smallRidge
      )
      .fit(network, rows, kernels: kernels)
      guard fit.loss <= limit.fitted, loss(fit.network, validation, kernels) <= limit.validation,
        fit.network.readInputs == inputs
      else { return nil }
      return fit.network
    }
    var best = fitted(network.linearPart(of: inputs)) ?? network
    var share = share
    while share > 0, let next = without(share, best, rows, kernels) {
      if let fit = fitted(next) {
        best = fit
      } else {
        share /= 2
        if share < 0.03 { break }
      }
    }
    return best
  }

  private func loss(_ network: Network, _ rows: RegressionRows, _ kernels: Kernels) -> Double {
    var problem = LeastSquares(network, rows, kernels: kernels)
    return problem.loss()
  }

  private func limit(_ network: Network, _ rows: RegressionRows, _ kernels: Kernels) -> Double {
    (1 + tolerance) * loss(network, rows, kernels) + slack
  }

  /// Without the cheapest weights, at least one; nil where none is left or the costs are unknown.
  private func without(
    _ share: Double, _ network: Network, _ rows: RegressionRows, _ kernels: Kernels
  ) -> Network? {
    var problem = LeastSquares(
      network, rows, ridge: LevenbergMarquardt.smallRidge, kernels: kernels)
    let weights = problem.weights
    let equations = problem.evaluate()
    // Units that do the same leave J's columns dependent, to the precision of its products.
    let inverse = [1e-6, 1e-5, 1e-4, 1e-3].lazy
      .compactMap { equations.damped($0).invertedPositiveDefinite() }.first
    guard !weights.isEmpty, let inverse else { return nil }
    var parameters = problem.parameters
    let costs = weights.map { (index: $0, cost: parameters[$0] * parameters[$0] / inverse[$0, $0]) }
    let cheapest = costs.sorted { ($0.cost, $0.index) < ($1.cost, $1.index) }
      .prefix(max(1, Int(share * Double(weights.count))))
    for (index, _) in cheapest { parameters[index] = 0 }
    for group in problem.readers where !group.isEmpty && group.allSatisfy({ parameters[$0] == 0 }) {
      // Which inputs act is not decided here: each keeps the weight that is worth most.
      guard let dearest = costs.filter({ group.contains($0.index) }).max(by: { $0.cost < $1.cost })
      else { continue }
      parameters[dearest.index] = problem.parameters[dearest.index]
    }
    guard parameters != problem.parameters else { return nil }
    problem.move(to: parameters)
    return problem.network.withoutIdleUnits
  }
}

extension Network {
  /// Only the direct connections from these inputs to the outputs.
  func linearPart(of inputs: Set<Int>) -> Network {
    var result = withLinearPartOpen()
    for layer in layers.indices {
      for index in layers[layer].connections.indices
      where !outputLayers.contains(layer) || layers[layer].connections[index].source != .inputs {
        result.layers[layer].connections[index].weight =
          layers[layer].connections[index].weight.map { _ in 0 }
      }
    }
    for layer in outputLayers {
      for index in layers[layer].connections.indices
      where layers[layer].connections[index].source == .inputs {
        let weight = result.layers[layer].connections[index].weight
        result.layers[layer].connections[index].weight = Matrix(
          rows: weight.rows, columns: weight.columns
        ) { inputs.contains($1) ? weight[$0, $1] : 0 }
      }
    }
    return result
  }

  /// Without the weights that read a unit which reads nothing: the next biases can take their place.
  fileprivate var withoutIdleUnits: Network {
    var result = self
    for layer in result.layers.indices {
      for unit in 0..<result.layers[layer].unitCount where result.readsNothing(layer, unit) {
        for reader in result.layers.indices {
          for index in result.layers[reader].connections.indices
          where result.layers[reader].connections[index].source == .layer(layer) {
            for row in 0..<result.layers[reader].unitCount {
              result.layers[reader].connections[index].weight[row, unit] = 0
            }
          }
        }
      }
    }
    return result
  }

  private func readsNothing(_ layer: Int, _ unit: Int) -> Bool {
    layers[layer].connections.allSatisfy { $0.weight.row(unit).allSatisfy { $0 == 0 } }
  }
}
