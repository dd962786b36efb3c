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
  /// How much a row counts: less where the members disagree, in deviations of the output, more than they mostly do.
  let weights: [Double]
  private let isAgreed: [Bool]

  /// Members that differ by less, in deviations of the output, do not disagree.
  static let agreement = 0.01

  init(
    output: Int, state: Int?, deviation: Double, timeStep: Double, points: [[Double]],
    steps: [RateOracle.Step], spread: [Double]? = nil
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
    let usual = spread.map { max($0.median, 1e-6) } ?? 1
    weights =
      spread.map { $0.map { usual / (usual * usual + $0 * $0).squareRoot() } }
      ?? steps.map { _ in 1 }
    isAgreed =
      spread.map { $0.map { $0 <= max(Self.agreement, 3 * usual) } } ?? steps.map { _ in true }
  }

  /// The rows at which the rate is known best: those where the members agree about as well as they mostly do, and of
  /// these all where the last term of its series is below a thousandth of a deviation, at least half.
  var sureRows: [Int] {
    let agreed = points.indices.filter { isAgreed[$0] }
    let limit = max(1e-3, agreed.map { lastTerms[$0] }.median)
    return agreed.filter { lastTerms[$0] <= limit }
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
  /// - Parameters:
  ///   - formula: of the rate in deviations of the output.
  ///   - hasConstant: whether it keeps its constant; without, the formula must have terms.
  /// - Returns: nil where no fit is possible over these rows.
  func refined(_ formula: Formula, hasConstant: Bool = true) -> Formula? {
    guard hasConstant || !formula.terms.isEmpty else { return nil }
    var best: (formula: Formula, squares: Double)?
    var current = formula
    if !hasConstant {
      let fit = FormulaFit(
        formula.terms, hasConstant: false, at: points, to: rates, weights: weights)
      guard let fit else { return nil }
      current = fit.formula
    }
    for _ in 0..<Self.mostCorrections {
      let values = increments(of: current)
      let lacking = zip(increments, values).map { $0 - $1 }
      let weighted = zip(lacking, weights).map { $0 * $1 }
      let squares = Samples.dot(weighted, weighted)
      guard squares.isFinite else { break }
      if let best, squares > 0.999 * best.squares { break }
      best = (current, squares)
      let target = points.indices.map { current.value(points[$0]) + lacking[$0] }
      guard
        let fit = FormulaFit(
          current.terms, hasConstant: hasConstant && formula.hasConstant, at: points, to: target,
          weights: weights)
      else { break }
      current = fit.formula
    }
    return best?.formula
  }
}
