import LinearAlgebra
import Networks

/// Tries again hidden units that the stochastic training has emptied, where a network lacks them.
///
/// A penalty that is right for most of a plant may remove the units of a weak but curved effect, and a fit cannot
/// restore a unit that reads nothing. Emptied units get random weights on the inputs that the network still reads;
/// if after a few attempts of Levenberg-Marquardt the error on fitted rows has fallen to a share, the fit
/// continues, and is kept if the error on validation rows has fallen as far. Elimination removes whatever is
/// superfluous.
struct UnitRevival {
  /// Attempts of Levenberg-Marquardt.
  var attempts: Int
  /// The number of attempts after which it must look worthwhile.
  var few = 6
  /// The share of the mean squared error that must not be exceeded.
  var worthwhile = 0.7

  /// - Returns: nil where it is not worthwhile, and for networks of other than one hidden layer.
  func run(
    _ network: Network, _ rows: RegressionRows, validation: RegressionRows,
    stream: inout RandomStream, kernels: Kernels = .active
  ) -> Network? {
    guard let wider = network.withEmptyUnitsFilled(&stream) else { return nil }
    let ridge = LevenbergMarquardt.smallRidge
    var problem = LeastSquares(wider, rows, ridge: ridge, kernels: kernels)
    _ = problem.project()
    var state = LevenbergMarquardt.State(&problem)
    LevenbergMarquardt(attempts: min(few, attempts)).advance(&state, &problem)
    guard state.equations.loss <= worthwhile * loss(network, rows, kernels) else { return nil }
    LevenbergMarquardt(attempts: attempts, improvement: 0.02).advance(&state, &problem)
    let limit = worthwhile * loss(network, validation, kernels)
    return loss(problem.network, validation, kernels) <= limit ? problem.network : nil
  }

  private func loss(_ network: Network, _ rows: RegressionRows, _ kernels: Kernels) -> Double {
    var problem = LeastSquares(network, rows, kernels: kernels)
    return problem.loss()
  }
}

extension Network {
  /// With random weights from the inputs that are read anywhere to those hidden units that read or drive
  /// nothing, and next to nothing from there to the outputs. Nil without such units.
  fileprivate func withEmptyUnitsFilled(_ stream: inout RandomStream) -> Network? {
    guard layers.count == 2, outputLayers == [1],
      let readers = layers[1].connections.firstIndex(where: { $0.source == .layer(0) }),
      let inputs = layers[0].connections.firstIndex(where: { $0.source == .inputs })
    else { return nil }
    let output = layers[1].connections[readers].weight
    let isEmpty = (0..<layers[0].unitCount).map { unit in
      layers[0].connections[inputs].weight.row(unit).allSatisfy { $0 == 0 }
        || output.column(unit).allSatisfy { $0 == 0 }
    }
    let read = (0..<inputCount).filter { input in
      layers[1].connections.contains { connection in
        connection.source == .inputs && connection.weight.column(input).contains { $0 != 0 }
      }
        || isEmpty.indices.contains {
          !isEmpty[$0] && layers[0].connections[inputs].weight[$0, input] != 0
        }
    }
    guard !read.isEmpty, isEmpty.contains(true) else { return nil }
    var result = self
    for unit in isEmpty.indices where isEmpty[unit] {
      for input in 0..<inputCount {
        result.layers[0].connections[inputs].weight[unit, input] =
          read.contains(input) ? stream.normal() * (2 / Double(read.count)).squareRoot() : 0
      }
      result.layers[0].bias[unit] = stream.normal()
      for row in 0..<output.rows {
        result.layers[1].connections[readers].weight[row, unit] = 1e-6
      }
    }
    return result
  }
}
