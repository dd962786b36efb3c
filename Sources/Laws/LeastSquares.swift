import LinearAlgebra

/// Vectors of many samples, in sums of one order.
enum Samples {
  /// Σ aᵢbᵢ, in four partial sums.
  static func dot(_ a: [Double], _ b: [Double]) -> Double {
    precondition(a.count == b.count)
    var sums = SIMD4<Double>.zero
    var index = 0
    let whole = a.count - a.count % 4
    while index < whole {
      let x = SIMD4(a[index], a[index + 1], a[index + 2], a[index + 3])
      let y = SIMD4(b[index], b[index + 1], b[index + 2], b[index + 3])
      sums += x * y
      index += 4
    }
    var sum = (sums[0] + sums[1]) + (sums[2] + sums[3])
    while index < a.count {
      sum += a[index] * b[index]
      index += 1
    }
    return sum
  }

  /// a − factor · b
  static func subtract(_ factor: Double, _ b: [Double], from a: inout [Double]) {
    for index in a.indices { a[index] -= factor * b[index] }
  }

  static func centred(_ a: [Double]) -> [Double] {
    let mean = a.mean
    return a.map { $0 - mean }
  }
}

/// Least squares by Gram and Schmidt's orthogonalisation, done twice, so that columns may nearly depend on each other.
struct LeastSquares {
  let coefficients: [Double]
  /// Σ residual²
  let squares: Double

  /// - Parameters:
  ///   - columns: of the same length as the target.
  ///   - target: what they are to add up to.
  /// - Returns: nil where a column depends on those before it, to 1e-9 of its length.
  init?(_ columns: [[Double]], _ target: [Double]) {
    var basis: [[Double]] = []
    var triangle: [[Double]] = []
    for column in columns {
      let length = Samples.dot(column, column).squareRoot()
      guard length > 0, length.isFinite else { return nil }
      var rest = column
      var above = [Double](repeating: 0, count: basis.count)
      for _ in 0..<2 {
        for (index, direction) in basis.enumerated() {
          let share = Samples.dot(direction, rest)
          above[index] += share
          Samples.subtract(share, direction, from: &rest)
        }
      }
      let left = Samples.dot(rest, rest).squareRoot()
      guard left > 1e-9 * length else { return nil }
      basis.append(rest.map { $0 / left })
      triangle.append(above + [left])
    }
    var rest = target
    var projections: [Double] = []
    for direction in basis {
      let share = Samples.dot(direction, rest)
      projections.append(share)
      Samples.subtract(share, direction, from: &rest)
    }
    var solution = projections
    for row in stride(from: columns.count - 1, through: 0, by: -1) {
      for column in (row + 1)..<max(row + 1, columns.count) {
        solution[row] -= triangle[column][row] * solution[column]
      }
      solution[row] /= triangle[row][row]
    }
    coefficients = solution
    squares = Samples.dot(rest, rest)
  }
}
