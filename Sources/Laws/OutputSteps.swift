import LinearAlgebra

/// What networks say of one output along steps from some points, in deviations of the output.
struct OutputSteps: Sendable {
  /// The input that is the output's state; nil where the output is no rate.
  let state: Int?
  let deviation: Double
  let timeStep: Double
  let points: [[Double]]
  /// The inputs at the middle and the end of each step.
  let middles: [[Double]]
  let ends: [[Double]]
  /// (x(t + Δt) − x(t))/Δt
  let increments: [Double]
  /// The rate at the start of the step, by a series, and the last term of that.
  let rates: [Double]
  let lastTerms: [Double]

  init(
    output: Int, state: Int?, deviation: Double, timeStep: Double, points: [[Double]],
    steps: [RateOracle.Step]
  ) {
    self.state = state
    self.deviation = deviation
    self.timeStep = timeStep
    self.points = points
    middles = steps.map(\.middle)
    ends = steps.map(\.end)
    increments = steps.map { $0.increments[output] / deviation }
    rates = steps.map { $0.rates[output] / deviation }
    lastTerms = steps.map { abs($0.lastTerms[output]) / deviation }
  }

  /// The rows at which the series of the rate has converged best: all whose last term is below a thousandth of a
  /// deviation, and at least half.
  var convergedRows: [Int] {
    let limit = max(1e-3, lastTerms.median)
    return points.indices.filter { lastTerms[$0] <= limit }
  }

  /// The increments that a formula of the rate (in deviations of the output) makes over the steps.
  func increments(of formula: Formula) -> [Double] {
    let physical = formula.scaled(by: deviation)
    return points.indices.map { row in
      physical.increment(
        ofState: state, start: points[row], middle: middles[row], end: ends[row],
        timeStep: timeStep) / deviation
    }
  }

  static let mostCorrections = 6

  /// The formula with constants such that its increments, not its rates, come nearest to the networks': the rates that
  /// it is fitted to are those it has, plus what its increments lack (deferred correction).
  ///
  /// - Parameter formula: of the rate in deviations of the output.
  /// - Returns: nil where no fit is possible over these rows.
  func refined(_ formula: Formula) -> Formula? {
    var best: (formula: Formula, squares: Double)?
    var current = formula
    for _ in 0..<Self.mostCorrections {
      let values = increments(of: current)
      let lacking = zip(increments, values).map { $0 - $1 }
      let squares = Samples.dot(lacking, lacking)
      guard squares.isFinite else { break }
      if let best, squares > 0.999 * best.squares { break }
      best = (current, squares)
      let target = points.indices.map { current.value(points[$0]) + lacking[$0] }
      guard
        let fit = FormulaFit(
          current.terms, hasConstant: current.hasConstant, at: points, to: target)
      else { break }
      current = fit.formula
    }
    return best?.formula
  }
}
