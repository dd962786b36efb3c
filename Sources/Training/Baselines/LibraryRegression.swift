import Dynamics
import Foundation
import LinearAlgebra
import Networks

/// Sparse regression of rates on a `FeatureLibrary`: to be tried before a network, and to be beaten by one.
///
/// For the regression, columns and targets are centred and scaled to a standard deviation of 1, so that a threshold
/// or λ means the same for all of them; the constant is never penalised. Everything is computed from the products
/// of the columns, which are summed over the data once for all targets.
public struct LibraryRegression: Sendable {
  /// One choice of threshold or λ, for a target.
  public struct Candidate: Equatable, Sendable {
    /// The threshold of `stlsq` or the λ of `lasso`.
    public var strength: Double
    /// One per term: of standardised inputs and target, not of scaled columns.
    public var coefficients: [Double]
    /// Mean squared errors on the rows that were fitted, and on held-out ones with its standard error.
    public var loss: Double
    public var validation: Double
    public var standardError: Double

    package init(
      strength: Double, coefficients: [Double], loss: Double, validation: Double,
      standardError: Double
    ) {
      self.strength = strength
      self.coefficients = coefficients
      self.loss = loss
      self.validation = validation
      self.standardError = standardError
    }

    public var terms: Int { coefficients.count { $0 != 0 } }
  }

  public let library: FeatureLibrary
  /// Means of products of columns (terms, then targets) over the rows.
  private let products: Matrix
  /// The products over each stretch of the held-out rows.
  private let heldOut: [Matrix]

  /// - Precondition: columns of `inputs` as in the library; a column of ones is not needed.
  public init(
    library: FeatureLibrary, rows: RegressionRows, heldOut: [RegressionRows],
    kernels: Kernels = .active
  ) {
    self.library = library
    products = Self.products(library, rows, kernels)
    self.heldOut = heldOut.map { Self.products(library, $0, kernels) }
  }

  private static func products(
    _ library: FeatureLibrary, _ rows: RegressionRows, _ kernels: Kernels
  ) -> Matrix {
    precondition(rows.inputs.columns == library.inputs)
    let batch = 512
    let terms = library.terms.count
    let size = terms + rows.targets.columns
    var layout = ArenaLayout()
    let (table, sums) = (layout.reserve(size * batch), layout.reserve(size * size))
    var arena = Arena<Double>(layout)
    // Every product is an earlier one times an input.
    let place = Dictionary(uniqueKeysWithValues: zip(library.terms, 0...))
    let factors = library.terms.map { term in
      term.last.map { (rest: place[Array(term.dropLast())] ?? 0, input: $0) }
    }
    var column = [Double](repeating: 0, count: batch)
    for first in stride(from: 0, to: rows.inputs.rows, by: batch) {
      let count = min(batch, rows.inputs.rows - first)
      var values: [[Double]] = []
      for factor in factors {
        for row in 0..<batch {
          column[row] =
            row >= count
            ? 0 : factor.map { values[$0.rest][row] * rows.inputs[first + row, $0.input] } ?? 1
        }
        values.append(column)
        arena[table.part((values.count - 1) * batch, batch)] = column
      }
      for target in 0..<rows.targets.columns {
        for row in 0..<batch { column[row] = row < count ? rows.targets[first + row, target] : 0 }
        arena[table.part((terms + target) * batch, batch)] = column
      }
      kernels.gram(arena, rows: size, batch: batch, x: table, product: sums)
    }
    let sum = arena[sums]
    let count = Double(rows.inputs.rows)
    return Matrix(rows: size, columns: size) { row, column in
      sum[max(row, column) * size + min(row, column)] / count
    }
  }

  // MARK: Choosing

  /// The sparsest candidate whose error on the held-out rows is within one standard error of the smallest (Breiman
  /// et al. 1984).
  public static func choice(_ candidates: [Candidate]) -> Candidate? {
    guard let best = candidates.min(by: { $0.validation < $1.validation }) else { return nil }
    return candidates.filter { $0.validation <= best.validation + best.standardError }
      .min { ($0.terms, $0.validation) < ($1.terms, $1.validation) }
  }

  /// The result for a target.
  struct Fit: Sendable {
    /// Its numbers are rounded to `Float`, as model files hold them.
    var network: Network
    var chosen: Candidate
  }

  /// The choice for one target by the method that a recipe names.
  func fit(_ method: Method, target: Int, name: String) -> Fit {
    let candidates = method == .lasso ? lasso(target: target) : stlsq(target: target)
    let chosen =
      Self.choice(candidates)
      ?? Candidate(
        strength: 0, coefficients: library.terms.map { _ in 0 }, loss: .nan, validation: .nan,
        standardError: .nan)
    let network = library.network(chosen.coefficients, name: name)
    return Fit(network: network.inSinglePrecision, chosen: chosen)
  }

  // MARK: Methods

  /// Sequentially thresholded least squares (SINDy: Brunton, Proctor & Kutz 2016): fit, remove what is below the
  /// threshold, and repeat until nothing is.
  public func stlsq(target: Int, thresholds: [Double] = Self.thresholds) -> [Candidate] {
    let system = System(self, target: target)
    return thresholds.map { threshold in
      var support = system.usable
      var coefficients = system.leastSquares(support)
      while true {
        let kept = support.filter { abs(coefficients[$0]) >= threshold }
        if kept.count == support.count { break }
        support = kept
        coefficients = system.leastSquares(support)
      }
      return candidate(threshold, coefficients, system, target)
    }
  }

  /// The lasso by coordinate descent along a path of λ (Friedman, Hastie & Tibshirani 2010), each model then
  /// refitted without penalty on the surviving terms (Meinshausen 2007).
  public func lasso(target: Int) -> [Candidate] {
    let system = System(self, target: target)
    return lassoPath(target: target).map { strength, penalised in
      let support = system.usable.filter { penalised[$0] != 0 }
      return candidate(strength, system.leastSquares(support), system, target)
    }
  }

  /// The penalised coefficients themselves, for scaled columns and target: minima of ½ mean e² + λ Σ|w| from the λ
  /// at which all are zero down to a ten-thousandth of it, to the accuracy of a thousand sweeps.
  public func lassoPath(target: Int) -> [(strength: Double, coefficients: [Double])] {
    let system = System(self, target: target)
    let largest = system.usable.map { abs(system.right[$0]) }.max() ?? 0
    var w = [Double](repeating: 0, count: library.terms.count)
    return (0...40).map { step in
      let strength = largest * pow10(-Double(step) / 10)
      system.descend(&w, strength: strength)
      return (strength, w)
    }
  }

  /// Zero, and values from a ten-thousandth to a third of a standard deviation per standard deviation.
  public static let thresholds: [Double] = [0] + (0...14).map { pow10(-4 + Double($0) / 4) }

  private func candidate(
    _ strength: Double, _ scaled: [Double], _ system: System, _ target: Int
  ) -> Candidate {
    let coefficients = system.unscaled(scaled)
    let held = heldOut.map { error(coefficients, target, $0) }
    let mean = held.isEmpty ? .nan : held.mean
    let spread =
      held.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(max(1, held.count - 1))
    return Candidate(
      strength: strength, coefficients: coefficients, loss: error(coefficients, target, products),
      validation: mean, standardError: (spread / Double(max(1, held.count))).squareRoot())
  }

  /// The mean of (Σ c φ − y)², from the means of products.
  private func error(_ coefficients: [Double], _ target: Int, _ products: Matrix) -> Double {
    let y = coefficients.count + target
    let live = coefficients.indices.filter { coefficients[$0] != 0 }
    var sum = products[y, y]
    for i in live {
      sum -= 2 * coefficients[i] * products[i, y]
      for j in live { sum += coefficients[i] * coefficients[j] * products[i, j] }
    }
    return max(0, sum)
  }

  // MARK: The scaled problem

  /// Correlations of centred columns with each other and with the target.
  private struct System {
    let matrix: Matrix
    let right: [Double]
    /// The columns that vary.
    let usable: [Int]
    private let means: [Double]
    private let deviations: [Double]
    private let targetMean: Double
    private let targetDeviation: Double

    init(_ regression: LibraryRegression, target: Int) {
      let products = regression.products
      let count = regression.library.terms.count
      let y = count + target
      let means = (0..<count).map { products[0, $0] }
      let deviations = (0..<count).map {
        let variance = products[$0, $0] - means[$0] * means[$0]
        return variance > 1e-12 * products[$0, $0] ? variance.squareRoot() : 0
      }
      let targetMean = products[0, y]
      let targetDeviation = max(
        (products[y, y] - targetMean * targetMean).squareRoot(), .leastNormalMagnitude)
      usable = (0..<count).filter { deviations[$0] > 0 }
      matrix = Matrix(rows: count, columns: count) { i, j in
        deviations[i] > 0 && deviations[j] > 0
          ? (products[i, j] - means[i] * means[j]) / (deviations[i] * deviations[j]) : 0
      }
      right = (0..<count).map {
        deviations[$0] > 0
          ? (products[$0, y] - means[$0] * targetMean) / (deviations[$0] * targetDeviation) : 0
      }
      (self.means, self.deviations) = (means, deviations)
      (self.targetMean, self.targetDeviation) = (targetMean, targetDeviation)
    }

    /// Least squares on these columns, with a ridge that only decides between linearly dependent columns.
    func leastSquares(_ support: [Int]) -> [Double] {
      var w = [Double](repeating: 0, count: right.count)
      var system = matrix.submatrix(rows: support, columns: support)
      for index in support.indices { system[index, index] += 1e-9 }
      let solution = system.solvePositiveDefinite(support.map { right[$0] })
      for (index, column) in support.enumerated() { w[column] = solution?[index] ?? 0 }
      return w
    }

    /// Coordinate descent from `w` to the minimum of ½ wᵀAw − bᵀw + λ Σ|w|.
    func descend(_ w: inout [Double], strength: Double) {
      var residual = right
      for j in usable where w[j] != 0 {
        for i in usable { residual[i] -= matrix[i, j] * w[j] }
      }
      func sweep(_ columns: [Int]) -> Double {
        var largest = 0.0
        for j in columns {
          let free = residual[j] + matrix[j, j] * w[j]
          let shrunk = max(abs(free) - strength, 0) / matrix[j, j]
          let change = (free < 0 ? -shrunk : shrunk) - w[j]
          guard change != 0 else { continue }
          w[j] += change
          for i in usable { residual[i] -= matrix[i, j] * change }
          largest = max(largest, abs(change))
        }
        return largest
      }
      // All columns, then those in use until they settle, until that changes nothing for the others.
      for _ in 0..<20 {
        guard sweep(usable) > Self.settled else { return }
        let active = usable.filter { w[$0] != 0 }
        for _ in 0..<50 { guard sweep(active) > Self.settled else { break } }
      }
    }

    /// Changes of a coefficient below this are negligible.
    private static let settled = 1e-7

    func unscaled(_ scaled: [Double]) -> [Double] {
      var result = [Double](repeating: 0, count: scaled.count)
      result[0] = targetMean
      for column in usable where scaled[column] != 0 {
        result[column] = scaled[column] * targetDeviation / deviations[column]
        result[0] -= result[column] * means[column]
      }
      return result
    }
  }
}

extension LibraryRegression {
  /// The number of rows at which a library of many terms costs no more than one of few.
  private static func limit(terms: Int) -> Int { max(10_000, 2_000_000_000 / (terms * terms)) }

  /// In the standardisation of a training set; the held-out rows in ten stretches.
  /// - Throws: `DataProblem` for data without a step, or for more than 2000 terms.
  init(
    training: Smoothing, validation: Smoothing, scaledLike set: TrainingSet, degree: Int
  ) throws(DataProblem) {
    let (inputs, most) = (set.features.count, 2000)
    guard inputs < most, FeatureLibrary.count(inputs: inputs, degree: degree) <= most else {
      throw .tooManyTerms(inputs: inputs, degree: degree, limit: most)
    }
    let library = FeatureLibrary(inputs: set.features.count, degree: degree)
    let limit = Self.limit(terms: library.terms.count)
    let rows = try RegressionRows(training, scaledLike: set, typicalNoise: nil, limit: limit)
    let held = try RegressionRows(
      validation, scaledLike: set, typicalNoise: nil, limit: max(2000, limit / 5))
    self.init(library: library, rows: rows, heldOut: held.stretches(10))
  }
}

extension RegressionRows {
  /// The rows cut into `count` parts of nearly equal length, or into single rows.
  func stretches(_ count: Int) -> [RegressionRows] {
    let parts = min(count, inputs.rows)
    return (0..<parts).map { part in
      let rows = Array((part * inputs.rows / parts)..<((part + 1) * inputs.rows / parts))
      return RegressionRows(
        inputs: inputs.submatrix(rows: rows, columns: Array(0..<inputs.columns)),
        targets: targets.submatrix(rows: rows, columns: Array(0..<targets.columns)),
        weights: weights?.submatrix(rows: rows, columns: Array(0..<targets.columns)))
    }
  }
}

private func pow10(_ exponent: Double) -> Double { Double.pow(10, exponent) }
