import Dynamics
import LinearAlgebra

/// The samples on which trained networks are refined by Levenberg-Marquardt, standardised, in `Double`.
struct RefinementRows: Sendable {
  /// rows × features
  let inputs: Matrix
  /// rows × targets
  let targets: Matrix

  /// At most `limit` samples: those in which an input lies more than five deviations from its mean
  /// (impulses are rare, and all that is known of some inputs), the rest evenly spaced.
  ///
  /// - Throws: `DataProblem` for data without a step.
  init(_ data: Trajectories, scaledLike set: TrainingSet, limit: Int = 10_000)
    throws(DataProblem)
  {
    let regression = try Regression(data)
    let inputs = regression.inputs
    let scaling = set.inputScaling
    let rare = (0..<inputs.rows).filter { row in
      (data.states.count..<inputs.columns).contains {
        abs(scaling.standardise($0, inputs[row, $0])) > 5
      }
    }
    let rows = Self.chosen(of: inputs.rows, first: rare, limit: limit)
    self.inputs = Matrix(rows: rows.count, columns: inputs.columns) {
      scaling.standardise($1, inputs[rows[$0], $1])
    }
    targets = Matrix(rows: rows.count, columns: regression.outputs.columns) {
      set.outputScaling.standardise($1, regression.outputs[rows[$0], $1])
    }
  }

  /// All of `count` if they are few; otherwise `first` (thinned to half of the limit), then others at
  /// even distances, in order.
  static func chosen(of count: Int, first: [Int], limit: Int) -> [Int] {
    guard count > limit else { return Array(0..<count) }
    func thinned(_ rows: [Int], _ most: Int) -> [Int] {
      rows.count <= most ? rows : (0..<most).map { rows[$0 * rows.count / most] }
    }
    let kept = thinned(first, limit / 2)
    let isKept = Set(kept)
    let others = (0..<count).filter { !isKept.contains($0) }
    return (kept + thinned(others, limit - kept.count)).sorted()
  }

  /// A network of the targets from `firstTarget` on, refined; its numbers are rounded to `Float`, as
  /// model files hold them.
  ///
  /// - Throws: `RefinementProblem` for a network with too many parameters.
  func refine(_ network: Network, firstTarget: Int, attempts: Int) throws(RefinementProblem)
    -> LevenbergMarquardt.Fit
  {
    let size = network.survivingWeightCount + network.layers.reduce(0) { $0 + $1.unitCount }
    guard size <= RefinementProblem.limit else { throw RefinementProblem(parameters: size) }
    let columns = Array(firstTarget..<(firstTarget + network.outputCount))
    var fit = LevenbergMarquardt(attempts: attempts).fit(
      network, inputs: inputs,
      targets: targets.submatrix(rows: Array(0..<targets.rows), columns: columns))
    for layer in fit.network.layers.indices {
      fit.network.layers[layer].bias = fit.network.layers[layer].bias.map { Double(Float($0)) }
      for connection in fit.network.layers[layer].connections.indices {
        fit.network.layers[layer].connections[connection].weight =
          fit.network.layers[layer].connections[connection].weight.map { Double(Float($0)) }
      }
    }
    return fit
  }
}

/// A network whose normal equations would be too large.
public struct RefinementProblem: Error, CustomStringConvertible {
  static let limit = 4000
  public let parameters: Int

  public var description: String {
    "a network with \(parameters) parameters is too large for --refine (at most \(Self.limit)); "
      + "train a tower for each output, a sparser network, or leave out --refine"
  }
}
