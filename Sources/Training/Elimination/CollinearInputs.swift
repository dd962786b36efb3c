import LinearAlgebra

/// Sets of inputs of which the data cannot say which one acts: each follows from the others of its set, but for what
/// their measurement noise leaves.
package enum CollinearInputs {
  /// A share of its variance that an input may have for itself and still count as a combination of others, in exact
  /// data.
  static let leastShare = 1e-9
  /// Coefficients of standardised inputs below this do not count as part of a combination.
  private static let material = 0.1

  /// How much of its own an input with this measurement noise (a variance, in units of the input's) must have.
  static func ownShare(noise: Double) -> Double { max(leastShare, 3 * noise) }

  /// - Parameter rows: their inputs are standardised.
  /// - Returns: disjoint sets of two inputs or more, in rising order.
  package static func groups(_ rows: RegressionRows) -> [[Int]] {
    let count = rows.inputs.columns
    let columns =
      [[Double](repeating: 1, count: rows.inputs.rows)] + (0..<count).map { rows.inputs.column($0) }
    let products = Matrix.products(of: columns)
    var groups: [Set<Int>] = []
    for input in 0..<count {
      let noise = rows.noise.isEmpty ? 0 : rows.noise[input]
      guard let others = combination(input, products, ownShare: ownShare(noise: noise)) else {
        continue
      }
      var group = Set(others + [input])
      for known in groups where !known.isDisjoint(with: group) { group.formUnion(known) }
      groups.removeAll { !$0.isDisjoint(with: group) }
      groups.append(group)
    }
    return groups.map { $0.sorted() }.sorted { $0[0] < $1[0] }
  }

  /// The inputs that an input is a combination of; nil if it is none.
  private static func combination(_ input: Int, _ products: Matrix, ownShare: Double) -> [Int]? {
    let place = input + 1
    let others = (0..<products.rows).filter { $0 != place }
    let gram = Matrix(rows: others.count, columns: others.count) { i, j in
      products[others[i], others[j]] * (i == j ? 1 + 1e-12 : 1)
    }
    let right = others.map { products[place, $0] }
    guard let answer = gram.solvePositiveDefinite(right) else { return nil }
    let own = products[place, place] - zip(answer, right).reduce(0) { $0 + $1.0 * $1.1 }
    guard own <= ownShare * products[place, place] else { return nil }
    let found = zip(others, answer).filter { $0.0 > 0 && abs($0.1) > material }.map { $0.0 - 1 }
    return found.isEmpty ? nil : found
  }
}

extension Matrix {
  /// The sums of products of any two columns of equal length.
  static func products(of columns: [[Double]]) -> Matrix {
    var result = Matrix(rows: columns.count, columns: columns.count)
    for i in columns.indices {
      for j in 0...i {
        let sum = columns[i].withUnsafeBufferPointer { a in
          columns[j].withUnsafeBufferPointer { b in
            var sum = 0.0
            for row in a.indices { sum += a[row] * b[row] }
            return sum
          }
        }
        (result[i, j], result[j, i]) = (sum, sum)
      }
    }
    return result
  }
}
