import Evidence
import LinearAlgebra

/// A fitted network of one output, linearised at its parameters: how far these are known, and what inputs that it
/// does not read would add.
///
/// With J the derivatives of its errors e (both times √w), blocks b of neighbouring rows and u_b = Σ Jᵀe over
/// a block, parameters vary by A⁻¹ Σ_b ε_b u_b, A = JᵀJ, ε_b independent with unit variance: the covariance that
/// needs neither equal nor independent errors within blocks (White 1980; Liang & Zeger 1986), drawn from as
/// the wild bootstrap does (Wu 1986).
struct TangentFit {
  private let network: Network
  private let rows: RegressionRows
  private let jacobian: Matrix
  private let errors: [Double]
  private let inverse: Matrix?
  private let parameters: [Double]
  /// Rows that go together.
  private static let blockCount = 60

  init(_ network: Network, _ rows: RegressionRows, kernels: Kernels) {
    var problem = LeastSquares(network, rows, kernels: kernels)
    (jacobian, errors) = problem.tangent()
    parameters = problem.parameters
    self.network = network
    self.rows = rows
    inverse = Self.inverse(jacobian)
  }

  private static func inverse(_ jacobian: Matrix) -> Matrix? {
    let gram = jacobian.gram
    return [1e-8, 1e-7, 1e-6, 1e-5].lazy.compactMap { ridge in
      var damped = gram
      for index in 0..<gram.rows {
        damped[index, index] += ridge * gram[index, index] + 1e-12 * Double(jacobian.rows)
      }
      return damped.invertedPositiveDefinite()
    }.first
  }

  private func block(_ row: Int) -> Int { row * Self.blockCount / jacobian.rows }

  // MARK: What is read

  /// How far R = mean |∂f/∂z| of each input is known.
  struct Spread {
    /// One standard deviation of each.
    var deviation: [Double]
    /// What the errors of the parameters add to each on average.
    var bias: [Double]
  }

  /// - Parameter pairs: of opposite draws.
  func spread(pairs: Int, points: Matrix, stream: inout RandomStream) -> Spread {
    let inputs = network.inputCount
    guard let inverse else {
      return Spread(
        deviation: Array(repeating: .infinity, count: inputs),
        bias: Array(repeating: 0, count: inputs))
    }
    var scores = Matrix(rows: Self.blockCount, columns: parameters.count)
    for row in 0..<jacobian.rows {
      let block = block(row)
      for column in parameters.indices {
        scores[block, column] += jacobian[row, column] * errors[row]
      }
    }
    let centre = network.relevance(points)
    var squares = [Double](repeating: 0, count: inputs)
    var bends = squares
    // A share of the way, where the network is nearly linear in its parameters.
    let share = 0.5
    for _ in 0..<pairs {
      let signs = (0..<Self.blockCount).map { _ in stream.normal() }
      let score = parameters.indices.map { column in
        signs.indices.reduce(0) { $0 + signs[$1] * scores[$1, column] }
      }
      let step = (inverse * score).map { share * $0 }
      let (up, down) = (moved(step).relevance(points), moved(step.map { -$0 }).relevance(points))
      for input in 0..<inputs {
        let slope = (up[input] - down[input]) / (2 * share)
        squares[input] += slope * slope / Double(pairs)
        bends[input] +=
          (up[input] + down[input] - 2 * centre[input]) / (2 * share * share) / Double(pairs)
      }
    }
    return Spread(
      deviation: squares.map { $0.squareRoot() }, bias: bends.map { max(0, $0) })
  }

  private func moved(_ step: [Double]) -> Network {
    var problem = LeastSquares(network, rows.firstRow)
    problem.move(to: zip(parameters, step).map { $0 + $1 })
    return problem.network
  }

  // MARK: What is not

  /// What an input would add to the network as a linear term, all else having answered.
  struct Addition {
    var slope: Double
    /// Its standard error, from sums over blocks.
    var error: Double
    /// What it is worth on rows that are held out.
    var terms: [BlockTerm]
  }

  /// - Parameter held: other rows.
  func additions(of inputs: [Int], held: RegressionRows, kernels: Kernels) -> [Int: Addition] {
    guard let inverse else { return [:] }
    var problem = LeastSquares(network, held, kernels: kernels)
    let (heldJacobian, heldErrors) = problem.tangent()
    var result: [Int: Addition] = [:]
    for input in inputs {
      let values = Self.weighted(rows, input)
      let own = values.reduce(0) { $0 + $1 * $1 }
      let answer = inverse * jacobian.transposedProduct(values)
      let rest = zip(values, jacobian * answer).map { $0 - $1 }
      let square = rest.reduce(0) { $0 + $1 * $1 }
      guard square > 1e-9 * own else {
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
        terms: Self.terms(held, without: heldErrors, added: heldRest.map { slope * $0 }))
    }
    return result
  }

  private static func weighted(_ rows: RegressionRows, _ input: Int) -> [Double] {
    (0..<rows.inputs.rows).map { row in
      rows.inputs[row, input] * (rows.weights.map { $0[row, 0].squareRoot() } ?? 1)
    }
  }

  private static func terms(
    _ held: RegressionRows, without: [Double], added: [Double]
  ) -> [BlockTerm] {
    var terms: [BlockTerm] = []
    for row in without.indices {
      let block = held.block(row)
      if terms.last?.block != block { terms.append(BlockTerm(block: block)) }
      let place = terms.count - 1
      let with = without[row] + added[row]
      terms[place].weight += held.weights?[row, 0] ?? 1
      terms[place].rise += without[row] * without[row] - with * with
      terms[place].gain += 2 * without[row] * (without[row] - with)
    }
    return terms
  }
}

extension Network {
  /// R = mean |∂f/∂z| of each input of the first output, over standardised points.
  func relevance(_ points: Matrix) -> [Double] {
    var batch = JacobianBatch(self)
    batch.add(points, rows: 0..<points.rows, .identity(inputCount))
    return batch.sums().magnitude.row(0).map { $0 / Double(points.rows) }
  }

  /// The mean of ∂f/∂z.
  func signedRelevance(_ points: Matrix) -> [Double] {
    var batch = JacobianBatch(self)
    batch.add(points, rows: 0..<points.rows, .identity(inputCount))
    return batch.sums().signed.row(0).map { $0 / Double(points.rows) }
  }
}

extension RegressionRows {
  /// The first row alone, for what only needs a network's shape.
  fileprivate var firstRow: RegressionRows {
    RegressionRows(
      inputs: inputs.submatrix(rows: [0], columns: Array(0..<inputs.columns)),
      targets: targets.submatrix(rows: [0], columns: Array(0..<targets.columns)))
  }

  /// So many of the inputs, at even distances.
  func points(_ count: Int) -> Matrix {
    let step = max(1, inputs.rows / count)
    return inputs.submatrix(
      rows: Array(stride(from: 0, to: inputs.rows, by: step)),
      columns: Array(0..<inputs.columns))
  }
}

extension Matrix {
  /// AᵀA
  fileprivate var gram: Matrix {
    var product = Matrix(rows: columns, columns: columns)
    let width = columns
    elements.withUnsafeBufferPointer { a in
      product.elements.withUnsafeMutableBufferPointer { p in
        for row in 0..<rows {
          let base = row * width
          for i in 0..<width {
            let factor = a[base + i]
            if factor == 0 { continue }
            for j in 0...i { p[i * width + j] += factor * a[base + j] }
          }
        }
      }
    }
    for i in 0..<width { for j in 0..<i { product[j, i] = product[i, j] } }
    return product
  }

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
