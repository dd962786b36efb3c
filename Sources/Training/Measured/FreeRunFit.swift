import LinearAlgebra
import Networks

/// Fits the parameters of maps to free runs: least squares of the errors of many-step predictions by the method
/// of Levenberg and Marquardt, μ by Nielsen's rule (Madsen, Nielsen & Tingleff 2004, algorithm 3.16).
///
/// A fit to single steps predicts the next sample best; a fit to runs of many steps predicts best where a run goes,
/// as a simulation requires, and is far less disturbed by measurement noise.
struct FreeRunFit: Sendable {
  let free: FreeRun
  let maps: [RecursiveMap]
  /// r_k: Σ r_k θ_k² is added to the mean of e².
  let ridge: [Double]

  init(_ free: FreeRun, _ maps: [RecursiveMap], ridge strength: Double) {
    self.free = free
    self.maps = maps
    // A line is not held back, but for deciding between features that are one.
    ridge = maps.flatMap { $0.bends.map { $0 ? strength : 1e-10 } }
  }

  var parameterCount: Int { ridge.count }

  private func penalty(_ theta: [Double]) -> Double {
    zip(ridge, theta).reduce(0) { $0 + $1.0 * $1.1 * $1.1 }
  }

  private func equations(_ theta: [Double], _ windows: [FreeRun.Window]) -> FreeRun.Equations {
    var equations = free.equations(maps, theta, windows)
    equations.loss += penalty(theta)
    for index in theta.indices {
      equations.gradient[index] += ridge[index] * theta[index]
      equations.curvature[index, index] += ridge[index]
    }
    return equations
  }

  /// The least squares of products alone over single steps, in which the errors are linear; units are unchanged,
  /// with output weights of zero.
  func oneStep(_ windows: [FreeRun.Window]) -> [Double] {
    let zero = [Double](repeating: 0, count: parameterCount)
    let equations = equations(zero, windows)
    let chosen = productParameters
    let system = equations.curvature.submatrix(rows: chosen, columns: chosen)
    var theta = zero
    if let step = system.solvePositiveDefinite(chosen.map { -equations.gradient[$0] }) {
      for (index, value) in zip(chosen, step) { theta[index] = value }
    }
    return theta
  }

  private var productParameters: [Int] {
    var first = 0
    return maps.flatMap { map in
      defer { first += map.parameterCount }
      return (first..<(first + map.products.count)).map { $0 }
    }
  }

  /// At most `attempts` attempts, successful or not; it ends when the loss has fallen by less than two parts in a
  /// hundred thousand.
  func minimise(
    _ start: [Double], _ windows: [FreeRun.Window], attempts: Int
  ) -> (parameters: [Double], loss: Double) {
    var theta = start
    var now = equations(theta, windows)
    var (damping, growth) = (1e-3, 2.0)
    for _ in 0..<attempts {
      guard now.loss.isFinite, !Task.isCancelled else { break }
      var system = now.curvature
      let floor = 1e-9 * trace(system) / Double(max(1, theta.count))
      for index in theta.indices {
        system[index, index] += damping * (system[index, index] + floor)
      }
      let step = system.solvePositiveDefinite(now.gradient.map { -$0 })
      let moved = step.map { zip(theta, $0).map { $0 + $1 } }
      let loss = moved.map { free.loss(maps, $0, windows) + penalty($0) } ?? .infinity
      guard let step, let moved, loss < now.loss else {
        damping *= growth
        growth *= 2
        if damping > 1e9 { break }
        continue
      }
      let gain = (now.loss - loss) / predictedGain(now, step)
      let isSettled = now.loss - loss < 2e-5 * now.loss
      theta = moved
      damping *= max(1.0 / 3, 1 - (2 * gain - 1) * (2 * gain - 1) * (2 * gain - 1))
      growth = 2
      if isSettled { return (theta, loss) }
      now = equations(theta, windows)
    }
    return (theta, now.loss)
  }

  private func trace(_ matrix: Matrix) -> Double {
    (0..<matrix.rows).reduce(0) { $0 + matrix[$1, $1] }
  }

  /// The fall of the loss that the quadratic model predicts.
  private func predictedGain(_ equations: FreeRun.Equations, _ step: [Double]) -> Double {
    var gain = 0.0
    for i in step.indices {
      gain -= 2 * equations.gradient[i] * step[i]
      gain -= equations.curvature[i, i] * step[i] * step[i]
      for j in 0..<i { gain -= 2 * equations.curvature[i, j] * step[i] * step[j] }
    }
    return max(gain, .leastNormalMagnitude)
  }

  /// C⁻¹ of the Gauss-Newton curvature C, a little of its mean added to its diagonal; nil where that is not
  /// positive definite.
  func inverseCurvature(_ theta: [Double], _ windows: [FreeRun.Window]) -> Matrix? {
    var system = equations(theta, windows).curvature
    let floor = 1e-10 * trace(system) / Double(max(1, theta.count))
    for index in theta.indices { system[index, index] += floor }
    return system.invertedPositiveDefinite()
  }
}
