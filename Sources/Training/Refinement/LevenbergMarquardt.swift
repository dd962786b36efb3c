import LinearAlgebra
import Networks

/// Least squares by the method of Levenberg and Marquardt with variable projection, in `Double`: for
/// networks of up to a few thousand parameters it converges where Adam stalls.
///
/// Only the biases of units that reach an output and the weights other than zero move. With e the
/// errors and J their derivatives, an attempt solves (JᵀJ/N + μ diag(JᵀJ/N + 1e-9)) d = −Jᵀe/N, moves the
/// output units' own parameters, in which the errors are linear, on to their least squares, and is
/// kept if the loss has fallen; μ follows Nielsen's rule (Madsen, Nielsen & Tingleff 2004, Methods for
/// Non-Linear Least Squares Problems, algorithm 3.16). Eliminating the linear parameters is the variable
/// projection of Golub & Pereyra (1973) in Ruhe & Wedin's (1980) second form: the joint step for the
/// others, an exact solution for these.
public struct LevenbergMarquardt: Equatable, Sendable {
  /// The largest number of attempts, successful or not.
  public var attempts: Int
  /// It ends when no component of Jᵀe/N exceeds this, or a successful step is smaller than this relative to the
  /// parameters.
  public var tolerance = 1e-12
  /// It also ends when the loss has fallen by less than this share of itself over five attempts.
  public var improvement = 0.0
  /// r Σθ² is added to the loss.
  public var ridge: Double

  /// Keeps parameters below about a thousand where the loss is a millionth: networks that cancel terms of millions
  /// fit no better, and single precision cannot evaluate them.
  public static let smallRidge = 1e-12

  public init(attempts: Int, improvement: Double = 0, ridge: Double = 0) {
    self.attempts = attempts
    self.improvement = improvement
    self.ridge = ridge
  }

  public struct Fit: Equatable, Sendable {
    public var network: Network
    /// Weighted means of the squared errors over rows and outputs before and after, with the ridge.
    public var lossBefore: Double
    public var loss: Double
    public var attempts: Int
    public var kept: Int
    /// The largest component of Jᵀe/N at the end.
    public var gradient: Double
  }

  /// - Precondition: one output layer, which is the last, of identities.
  public func fit(_ network: Network, _ rows: RegressionRows, kernels: Kernels = .active) -> Fit {
    var problem = LeastSquares(network, rows, ridge: ridge, kernels: kernels)
    var state = State(&problem)
    let lossBefore = state.equations.loss
    advance(&state, &problem)
    return Fit(
      network: problem.network, lossBefore: lossBefore, loss: state.equations.loss,
      attempts: state.attempts, kept: state.kept, gradient: state.equations.largestGradient)
  }

  /// The progress of a solution.
  struct State {
    fileprivate(set) var equations: Equations
    fileprivate(set) var attempts = 0
    fileprivate(set) var kept = 0
    fileprivate(set) var isAtEnd = false
    fileprivate(set) var damping: Double
    fileprivate var growth = 2.0

    init(_ problem: inout LeastSquares, damping: Double = 1e-2) {
      equations = problem.evaluate()
      self.damping = damping
    }
  }

  /// Makes up to `attempts` further attempts, fewer if the fit converges.
  func advance(_ state: inout State, _ problem: inout LeastSquares) {
    var losses = [state.equations.loss]
    for _ in 0..<attempts {
      let isSolved = state.equations.largestGradient <= tolerance
      // A task that is cancelled ends within one attempt; its caller throws.
      let isCancelled = Task.isCancelled
      guard !state.isAtEnd, !isSolved, !isCancelled, state.equations.loss.isFinite else {
        state.isAtEnd = true
        return
      }
      attempt(&state, &problem)
      losses.append(state.equations.loss)
      if improvement > 0, losses.count > 5,
        state.equations.loss > (1 - improvement) * losses[losses.count - 6]
      {
        return
      }
    }
  }

  private func attempt(_ state: inout State, _ problem: inout LeastSquares) {
    state.attempts += 1
    let before = problem.parameters
    if let step = state.equations.step(damping: state.damping) {
      problem.move(to: zip(before, step).map { $0 + $1 })
      let loss = problem.project()
      let gain =
        (state.equations.loss - loss) / 2
        / state.equations.predictedGain(step, damping: state.damping)
      if loss < state.equations.loss, gain > 0 {
        state.kept += 1
        state.damping *= max(1.0 / 3, 1 - (2 * gain - 1) * (2 * gain - 1) * (2 * gain - 1))
        state.growth = 2
        state.equations = problem.evaluate()
        let moved = zip(problem.parameters, before).map { $0 - $1 }
        state.isAtEnd = moved.length <= tolerance * (before.length + tolerance)
        return
      }
    }
    problem.move(to: before)
    state.damping *= state.growth
    state.growth *= 2
    state.isAtEnd = !state.damping.isFinite
  }
}

extension [Double] {
  /// √Σx²
  fileprivate var length: Double { reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
