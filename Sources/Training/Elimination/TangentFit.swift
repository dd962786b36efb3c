import Evidence
import LinearAlgebra
import Networks

/// A fitted network of one output, linearised at its parameters: how precisely its effects are known, and what
/// inputs that it does not read would add.
///
/// With J the derivatives of its errors e (both times √w and whitened) and z an input's values (likewise),
/// z̃ = z − J(JᵀJ)⁻¹Jᵀz is the part of them that nothing else can account for (Frisch & Waugh 1933). A linear term in z
/// has the slope −Σz̃e/Σz̃², and its variance is Σ_b(Σ z̃e)²/(Σz̃²)² with b blocks of neighbouring rows, whose errors
/// need be neither equal nor, within a block, independent (White 1980; Liang & Zeger 1986).
struct TangentFit {
  private let network: Network
  private let rows: RegressionRows
  private let jacobian: Matrix
  private let errors: [Double]
  private let inverse: Matrix?
  private let readers: [[Int]]
  private let whitening: Whitening
  /// The number of blocks of neighbouring rows.
  private static let blockCount = 60

  /// - Parameter rows: of an only output; whitened as they say.
  init(_ network: Network, _ rows: RegressionRows, kernels: Kernels) {
    let whitening = rows.whitenings.first ?? .none
    var problem = LeastSquares(network, rows, kernels: kernels)
    var (jacobian, errors) = problem.tangent()
    whitening.apply(&jacobian.elements, columns: jacobian.columns, rows.begins)
    errors = whitening.apply(errors, rows.begins)
    (self.jacobian, self.errors, self.whitening) = (jacobian, errors, whitening)
    readers = problem.readers
    self.network = network
    self.rows = rows
    // Single precision, as for the steps of a fit: the ridge is above its rounding.
    let gram = problem.evaluate().matrix.map { $0 * Double(rows.inputs.rows) }
    inverse = Self.inverse(gram, rows: jacobian.rows)
  }

  private static func inverse(_ gram: Matrix, rows: Int) -> Matrix? {
    [1e-7, 1e-6, 1e-5, 1e-4].lazy.compactMap { ridge in
      var damped = gram
      for index in 0..<gram.rows {
        damped[index, index] += ridge * gram[index, index] + 1e-12 * Double(rows)
      }
      return damped.invertedPositiveDefinite()
    }.first
  }

  private func ownShare(_ input: Int) -> Double {
    CollinearInputs.ownShare(noise: rows.noise.isEmpty ? 0 : rows.noise[input])
  }

  private func block(_ row: Int) -> Int { row * Self.blockCount / jacobian.rows }

  // MARK: What is read

  /// The standard errors of the effects of these inputs, as those of linear terms in them beside those in all others
  /// that are read; zero for the rest. (The network's own derivatives contain an input in every unit that reads it,
  /// and would leave nothing of it.)
  func standardErrors(of inputs: Set<Int>) -> [Double] {
    let used = readers.indices.filter { !readers[$0].isEmpty || inputs.contains($0) }
    let columns = ([nil] + used.map { $0 }).map { whitened(rows, $0) }
    let products = Matrix.products(of: columns)
    let read = [0] + used.indices.filter { !readers[used[$0]].isEmpty }.map { $0 + 1 }
    var result = [Double](repeating: 0, count: readers.count)
    for (place, input) in used.enumerated() where inputs.contains(input) {
      result[input] = standardError(
        of: place + 1, beside: read.filter { $0 != place + 1 }, columns, products,
        ownShare: ownShare(input))
    }
    return result
  }

  /// - Parameter products: the sums of products of any two columns.
  private func standardError(
    of place: Int, beside others: [Int], _ columns: [[Double]], _ products: Matrix,
    ownShare: Double
  ) -> Double {
    let gram = Matrix(rows: others.count, columns: others.count) { i, j in
      products[others[i], others[j]] * (i == j ? 1 + 1e-9 : 1)
    }
    guard let answer = gram.solvePositiveDefinite(others.map { products[place, $0] }) else {
      return .infinity
    }
    var rest = columns[place]
    for (other, factor) in zip(others, answer) {
      columns[other].withUnsafeBufferPointer { column in
        for row in rest.indices { rest[row] -= factor * column[row] }
      }
    }
    let square = rest.reduce(0) { $0 + $1 * $1 }
    guard square > ownShare * products[place, place] else { return .infinity }
    var sums = [Double](repeating: 0, count: Self.blockCount)
    for row in rest.indices { sums[block(row)] += rest[row] * errors[row] }
    return sums.reduce(0) { $0 + $1 * $1 }.squareRoot() / square
  }

  // MARK: What is not

  /// What an input would add to the network as a linear term, with everything else refitted.
  struct Addition {
    var slope: Double
    /// Its standard error, from sums over blocks.
    var error: Double
    /// Its gain on held-out rows.
    var terms: [BlockTerm]
  }

  /// - Parameter held: other rows.
  func additions(of inputs: [Int], held: RegressionRows, kernels: Kernels) -> [Int: Addition] {
    guard let inverse else { return [:] }
    var problem = LeastSquares(network, held, kernels: kernels)
    let (heldJacobian, heldErrors) = problem.tangent()
    var result: [Int: Addition] = [:]
    for input in inputs {
      let values = whitened(rows, input)
      let own = values.reduce(0) { $0 + $1 * $1 }
      let answer = inverse * jacobian.transposedProduct(values)
      let rest = zip(values, jacobian * answer).map { $0 - $1 }
      let square = rest.reduce(0) { $0 + $1 * $1 }
      guard square > ownShare(input) * own else {
        // Nothing of it is its own.
        result[input] = Addition(slope: 0, error: .infinity, terms: [])
        continue
      }
      // Errors are predictions less targets.
      let slope = -zip(rest, errors).reduce(0) { $0 + $1.0 * $1.1 } / square
      var sums = [Double](repeating: 0, count: Self.blockCount)
      for row in rest.indices {
        sums[block(row)] += rest[row] * (errors[row] + slope * rest[row])
      }
      let error = sums.reduce(0) { $0 + $1 * $1 }.squareRoot() / square
      let heldRest = zip(Self.weighted(held, input), heldJacobian * answer).map { $0 - $1 }
      result[input] = Addition(
        slope: slope, error: error,
        terms: terms(held, without: heldErrors, added: heldRest.map { slope * $0 }))
    }
    return result
  }

  /// √w z, or √w.
  private static func weighted(_ rows: RegressionRows, _ input: Int?) -> [Double] {
    (0..<rows.inputs.rows).map { row in
      (input.map { rows.inputs[row, $0] } ?? 1)
        * (rows.weights.map { $0[row, 0].squareRoot() } ?? 1)
    }
  }

  private func whitened(_ rows: RegressionRows, _ input: Int?) -> [Double] {
    whitening.apply(Self.weighted(rows, input), rows.begins)
  }

  /// - Parameters:
  ///   - plain: errors, not whitened.
  ///   - added: what they change by.
  private func terms(
    _ held: RegressionRows, without plain: [Double], added: [Double]
  ) -> [BlockTerm] {
    var terms: [BlockTerm] = []
    let (errors, changes) = (
      whitening.apply(plain, held.begins), whitening.apply(added, held.begins)
    )
    for row in plain.indices {
      let block = held.block(row)
      if terms.last?.block != block { terms.append(BlockTerm(block: block)) }
      let place = terms.count - 1
      let (without, change) = (errors[row], changes[row])
      terms[place].weight += held.weights?[row, 0] ?? 1
      terms[place].rise += without * without - (without + change) * (without + change)
      terms[place].gain -= 2 * without * change
      terms[place].whitened += change * change
      terms[place].change += added[row] * added[row]
    }
    return terms
  }
}

extension Network {
  /// Means of |∂f/∂z| and of ∂f/∂z over standardised points, outputs × inputs.
  func meanSlopes(_ points: Matrix) -> (magnitude: Matrix, signed: Matrix) {
    var batch = JacobianBatch(self)
    batch.add(points, rows: 0..<points.rows, .identity(inputCount))
    let (magnitude, signed) = batch.sums()
    return (
      magnitude.map { $0 / Double(points.rows) }, signed.map { $0 / Double(points.rows) }
    )
  }

  /// R = mean |∂f/∂z| of each input of the first output, over standardised points.
  func relevance(_ points: Matrix) -> [Double] { Array(meanSlopes(points).magnitude.row(0)) }
}

extension RegressionRows {
  /// `count` rows of the inputs, evenly spaced.
  func points(_ count: Int) -> Matrix {
    let step = max(1, inputs.rows / count)
    return inputs.submatrix(
      rows: Array(stride(from: 0, to: inputs.rows, by: step)),
      columns: Array(0..<inputs.columns))
  }
}

extension Matrix {
  /// Aᵀx
  fileprivate func transposedProduct(_ x: [Double]) -> [Double] {
    var product = [Double](repeating: 0, count: columns)
    elements.withUnsafeBufferPointer { a in
      for row in 0..<rows {
        let factor = x[row]
        for column in 0..<columns { product[column] += factor * a[row * columns + column] }
      }
    }
    return product
  }
}
