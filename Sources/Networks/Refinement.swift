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
    let controls = data.states.count..<regression.features.count
    let (inputScaling, outputScaling) = (set.inputScaling, set.outputScaling)
    var rare: [Int] = []
    regression.forEachRow { row, values in
      if controls.contains(where: { abs(inputScaling.standardise($0, values[$0])) > 5 }) {
        rare.append(row)
      }
    }
    let chosen = Self.chosen(of: regression.rows, first: rare, limit: limit)
    var inputs = Matrix(rows: chosen.count, columns: inputScaling.count)
    var targets = Matrix(rows: chosen.count, columns: outputScaling.count)
    var next = 0
    regression.forEachRow { row, values in
      guard next < chosen.count, chosen[next] == row else { return }
      for column in 0..<inputs.columns {
        inputs[next, column] = inputScaling.standardise(column, values[column])
      }
      for column in 0..<targets.columns {
        targets[next, column] = outputScaling.standardise(column, values[inputs.columns + column])
      }
      next += 1
    }
    self.inputs = inputs
    self.targets = targets
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
