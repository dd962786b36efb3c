import LinearAlgebra

/// Tells measurement noise from disturbances and from fast motion.
///
/// White noise n on the recorded values gives the one-step errors of any model the form e(k) = n(k+1) − n(k) + …,
/// with autocovariance −σ² at lag one and zero beyond. A disturbance of the state itself gives uncorrelated errors;
/// effects that the model lacks give errors that change smoothly, whose autocovariance at lag one follows from those
/// at lags two to four. What c₁ falls short of it estimates σ² in either case (less for a state that forgets much
/// within a step). The model is a quadratic regression on the recorded states and controls.
struct NoiseCheck {
  /// Of each state: σ² as estimated; nil where there are too few rows.
  let variances: [Double?]

  private static let mostRows = 8000
  private static let mostTerms = 160

  init(_ data: Trajectories) {
    let nothing = [Double?](repeating: nil, count: data.states.count)
    guard let chosen = Self.some(of: data), let regression = try? Regression(chosen),
      regression.rows > 500
    else {
      variances = nothing
      return
    }
    let inputs = regression.inputs
    let targets = regression.outputs
    let terms = Self.terms(inputs)
    guard let residuals = Self.residuals(terms, targets), regression.rows > 4 * terms.columns
    else {
      variances = nothing
      return
    }
    var places: [(trajectory: Int, sample: Int)] = []
    regression.forEachStep { _, trajectory, sample in places.append((trajectory, sample)) }
    let square = data.timeStep * data.timeStep
    variances = (0..<targets.columns).map { state in
      let c = (0...4).map { Self.autocovariance(residuals, state, places, lag: $0) }
      return Self.variance(c, rows: regression.rows) * square
    }
  }

  /// Whole trajectories at even distances, or the beginning of the only one.
  private static func some(of data: Trajectories) -> Trajectories? {
    let step = max(1, data.sampleCount / mostRows)
    let chosen = data.choosing(Array(stride(from: 0, to: data.samples.count, by: step)))
    return chosen.replacing(
      samples: chosen.samples.map { matrix in
        matrix.rows > mostRows
          ? matrix.submatrix(rows: Array(0..<mostRows), columns: Array(0..<matrix.columns)) : matrix
      })
  }

  /// 1, z, and products of two z where these are not too many, else squares where these are not, z standardised.
  private static func terms(_ inputs: Matrix) -> Matrix {
    let p = inputs.columns
    let columns = (0..<p).map { inputs.column($0) }
    let means = columns.map(\.mean)
    let deviations = columns.map { max($0.standardDeviation, .leastNormalMagnitude) }
    var pairs: [(Int, Int)] = []
    if 1 + p + p * (p + 1) / 2 <= mostTerms {
      pairs = (0..<p).flatMap { a in (a..<p).map { (a, $0) } }
    } else if 1 + 2 * p <= mostTerms {
      pairs = (0..<p).map { ($0, $0) }
    }
    return Matrix(rows: inputs.rows, columns: 1 + p + pairs.count) { row, column in
      func z(_ input: Int) -> Double { (inputs[row, input] - means[input]) / deviations[input] }
      if column == 0 { return 1 }
      if column <= p { return z(column - 1) }
      let (a, b) = pairs[column - 1 - p]
      return z(a) * z(b)
    }
  }

  private static func residuals(_ terms: Matrix, _ targets: Matrix) -> Matrix? {
    let width = terms.columns
    var gram = Matrix(rows: width, columns: width)
    terms.elements.withUnsafeBufferPointer { t in
      gram.elements.withUnsafeMutableBufferPointer { g in
        for row in 0..<terms.rows {
          for i in 0..<width {
            let factor = t[row * width + i]
            for j in 0...i { g[i * width + j] += factor * t[row * width + j] }
          }
        }
      }
    }
    for index in 0..<width { gram[index, index] *= 1 + 1e-9 }
    var result = targets
    for target in 0..<targets.columns {
      var right = [Double](repeating: 0, count: width)
      for row in 0..<terms.rows {
        for column in 0..<width { right[column] += terms[row, column] * targets[row, target] }
      }
      guard let solution = gram.solvePositiveDefinite(right) else { return nil }
      for (row, fitted) in (terms * solution).enumerated() { result[row, target] -= fitted }
    }
    return result
  }

  /// σ² by the autocovariances at lags 0 to 4. Smooth errors have γ₀ + a k² or γ₀ + a k² + b k⁴ at small lags k.
  private static func variance(_ c: [Double], rows: Int) -> Double {
    let plain = c[2] - c[1]
    // Extrapolation costs precision, so it is left out where nothing is seen to be smooth.
    guard c[2] > 4 * c[0] / Double(rows).squareRoot() else { return plain }
    let parabola = c[2] + 0.6 * (c[2] - c[3]) - c[1]
    let quartic = 2 * c[2] - 9 / 7 * c[3] + 2 / 7 * c[4] - c[1]
    return max(plain, parabola, quartic)
  }

  /// Over rows that follow each other.
  private static func autocovariance(
    _ residuals: Matrix, _ state: Int, _ places: [(trajectory: Int, sample: Int)], lag: Int
  ) -> Double {
    var (sum, count) = (0.0, 0.0)
    for row in 0..<max(0, residuals.rows - lag)
    where places[row + lag].trajectory == places[row].trajectory
      && places[row + lag].sample == places[row].sample + lag
    {
      sum += residuals[row, state] * residuals[row + lag, state]
      count += 1
    }
    return count > 0 ? sum / count : 0
  }
}
