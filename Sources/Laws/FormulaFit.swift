import LinearAlgebra

/// A formula's constants fitted to given rates: coefficients by least squares, constants inside functions by Gauss and
/// Newton's method on all of them together.
package struct FormulaFit: Sendable {
  package var formula: Formula
  /// Σ (formula − target)² over the rows.
  package var squares: Double

  static let mostSteps = 12

  /// - Parameters:
  ///   - terms: of the formula, with where to start inside their functions.
  ///   - hasConstant: whether a constant is fitted.
  ///   - points: the rows.
  ///   - target: per row.
  ///   - weights: by which residuals are multiplied; all one by default.
  /// - Returns: nil where terms depend on each other over these rows.
  package init?(
    _ terms: [Term], hasConstant: Bool, at points: [[Double]], to target: [Double],
    weights: [Double]? = nil
  ) {
    let rows = Rows(points: points, target: target, weights: weights)
    guard var best = Self.linear(terms, hasConstant, rows) else { return nil }
    let places = terms.indices.flatMap { term in
      terms[term].factors.indices.filter { terms[term].factors[$0].isFree }
        .map { (term: term, factor: $0) }
    }
    guard !places.isEmpty else {
      self = best
      return
    }
    for _ in 0..<Self.mostSteps {
      guard let moves = best.moves(places, hasConstant, rows) else { break }
      var scale = 1.0
      var better: FormulaFit?
      while better == nil, scale > 0.02 {
        var moved = best.formula.terms
        for (place, move) in zip(places, moves) {
          let factor = moved[place.term].factors[place.factor]
          // At most by half in a step.
          let change = max(-0.5, min(0.5, scale * move / factor.parameter))
          moved[place.term].factors[place.factor].parameter = factor.parameter * (1 + change)
        }
        if moved.allSatisfy({ $0.factors.allSatisfy(\.isWithinReason) }),
          let trial = Self.linear(moved, hasConstant, rows),
          trial.squares < best.squares
        {
          better = trial
        }
        scale /= 3
      }
      guard let found = better else { break }
      let gain = best.squares - found.squares
      best = found
      if gain < 1e-7 * best.squares { break }
    }
    self = best
  }

  private init(_ formula: Formula, _ squares: Double) {
    self.formula = formula
    self.squares = squares
  }

  private struct Rows {
    let points: [[Double]]
    let target: [Double]
    let weights: [Double]?

    func weighted(_ values: [Double]) -> [Double] {
      weights.map { zip(values, $0).map { $0 * $1 } } ?? values
    }

    /// A column of ones, if wanted, and one for each term.
    func columns(_ terms: [Term], _ hasConstant: Bool) -> [[Double]] {
      let ones = hasConstant ? [[Double](repeating: 1, count: points.count)] : []
      return (ones + terms.map { term in points.map { term.value($0) } }).map(weighted)
    }
  }

  private static func linear(_ terms: [Term], _ hasConstant: Bool, _ rows: Rows) -> FormulaFit? {
    guard
      let found = LeastSquares(rows.columns(terms, hasConstant), rows.weighted(rows.target)),
      found.coefficients.allSatisfy(\.isFinite)
    else { return nil }
    return FormulaFit(
      Formula(
        constant: hasConstant ? found.coefficients[0] : 0, terms: terms,
        coefficients: Array(found.coefficients.suffix(terms.count))), found.squares)
  }

  /// Gauss and Newton's changes of the constants inside functions.
  private func moves(
    _ places: [(term: Int, factor: Int)], _ hasConstant: Bool, _ rows: Rows
  ) -> [Double]? {
    let columns = rows.columns(formula.terms, hasConstant)
    let slopes = places.map { place in
      let factor = formula.terms[place.term].factors[place.factor]
      return zip(columns[place.term + (hasConstant ? 1 : 0)], rows.points).map { value, point in
        formula.coefficients[place.term] * value
          * factor.logarithmicSlope(at: factor.argument(point))
      }
    }
    let rest = zip(rows.points, rows.target).map { point, target in target - formula.value(point) }
    guard let found = LeastSquares(columns + slopes, rows.weighted(rest)) else { return nil }
    return Array(found.coefficients.suffix(places.count))
  }
}

extension Factor {
  /// Whether the constant inside is one that the function can be told by: E between 8 and 80 mean absolute
  /// temperatures, K between a twentieth of the mean and twenty of them.
  fileprivate var isWithinReason: Bool {
    switch function {
    case .arrhenius: (8...80).contains(parameter / reference)
    case .saturation: (0.05...20).contains(parameter / reference)
    default: true
    }
  }
}
